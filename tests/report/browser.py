"""A real headless Chromium, spoken to over a pipe (DevTools protocol): no port, no driver, no package."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_warehouse.report.printing import browser_command

LOAD_SECONDS = 60


class Browser:
    """One tab. `problems` is everything the page put on its console, threw or failed to load."""

    def __init__(self, to_browser, from_browser):
        self._to, self._from, self._last, self._session = to_browser, from_browser, 0, None
        self._buffer, self._loaded = b"", False
        self.problems: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params) -> dict:
        """The result of one command; what happens on the page meanwhile is noted."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while (answer := self._read()).get("id") != self._last:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Show a file at a window's width, and wait until it has loaded."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.problems.clear()
        self._loaded = False
        failed = self.send("Page.navigate", url=page.as_uri()).get("errorText")
        if failed:
            raise RuntimeError(f"{page}: {failed}")
        while not self._loaded:
            self._read()

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and let go of a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key],
            )
        if key == "Enter":
            self.send("Input.dispatchKeyEvent", type="char", key=key, text="\r")

    def _read(self) -> dict:
        while b"\0" not in self._buffer:
            if not select.select([self._from], [], [], LOAD_SECONDS)[0]:
                raise RuntimeError(f"the browser said nothing for {LOAD_SECONDS} seconds")
            part = os.read(self._from.fileno(), 1 << 20)
            if not part:
                raise RuntimeError("the browser is gone")
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(f"console {params['type']}: {params['args']}")
        elif method == "Runtime.exceptionThrown":
            self.problems.append(f"thrown: {params['exceptionDetails']['text']}")
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"log: {params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.loadingFailed":
            self.problems.append(f"not loaded: {params['errorText']}")
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(
            ("file:", "data:", "about:")
        ):
            self.problems.append(f"asked the network for {params['request']['url']}")


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A browser with a profile of its own, gone afterwards."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()

    def connect_pipes() -> None:  # the protocol is on descriptors 3 and 4
        first, second = os.dup(to_read), os.dup(from_write)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        process = subprocess.Popen(
            [*browser_command(Path(profile)), "--remote-debugging-pipe", "about:blank"],
            preexec_fn=connect_pipes,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        with os.fdopen(to_write, "wb") as to_browser, os.fdopen(from_read, "rb") as from_browser:
            try:
                yield Browser(to_browser, from_browser)
            finally:
                process.terminate()
                process.wait(LOAD_SECONDS)
