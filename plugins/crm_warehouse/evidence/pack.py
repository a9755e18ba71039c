"""The evidence pack: one zip of all that is on record of a published business date, for an auditor to verify offline.

The same log and results give the same bytes, whenever and wherever it is packed. It holds names of rules, counts, digests and
policy, no row of a customer.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

from crm_warehouse.errors import EvidenceBroken, SettingsError
from crm_warehouse.evidence import kept, log, verify_pack
from crm_warehouse.evidence.of_run import proven_results, whole_log
from crm_warehouse.files import write_atomically
from crm_warehouse.settings import Settings

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can say: the pack does not tell when it was packed
README = """Evidence pack of {bank}, business date {business_date}. 证据包。

To verify it, without a network and without installing anything (Python 3.9 or newer):
验证（离线，仅需 Python 3.9 以上）：

    python -I verify.py            in the unpacked folder 在解压目录中
    python -I verify.py PACK.zip   or on the zip itself 或直接对压缩包

verify.py           says whether everything below fits together, and what does not 检查以下各项是否相符
manifest.json       every file with its sha256, and the log entry the pack ends with 文件清单与日志末条
log.jsonl           the evidence log from its first entry to this publish, hash-chained 证据日志（哈希链）至本次发布
anchored_head.json  that entry as it was anchored outside the log 锚定的日志末条
run/                results of the run: plan, both gates, build, publish 本次运行的各步结果
rules.csv           every rule of both gates with reason, owner, verdict and waiver 全部规则及结果、豁免
rows.csv            rows of each file: read = loaded + quarantined + rejected 各文件行数：读取 = 加载 + 隔离 + 拒收
waivers.json        what was asked, approved and revoked 豁免的申请、批准与撤销
version.json        the published version: sha256 and content hash of each table 发布版本及各表内容哈希
policy/             the policy files in force, with approvers 生效的政策文件及批准人
lineage.json        what each column means and is made of 各字段的含义与来源
code.txt            every source file with its sha256; the sha256 of this list is the code version 代码清单与版本
"""


def pack_evidence(settings: Settings, business_date: date, target: Path | None = None) -> Path:
    """Write the pack of the bank's last publish of a business date; the zip's path.

    Raises SettingsError when the date was never published, EvidenceBroken when log or results are not whole.
    """
    entries = whole_log(settings)
    entry = _publish_of(settings, entries, business_date)
    files = _files(settings, entries[: entry["sequence"]])
    body = entry["body"]
    manifest = {
        "bank": body["bank"],
        "business_date": business_date.isoformat(),
        "run_id": body["run_id"],
        "version": body["published"]["version"],
        "entry": {name: entry[name] for name in ("sequence", "hash")},
        "files": {name: verify_pack.sha256(content) for name, content in sorted(files.items())},
    }
    files["manifest.json"] = verify_pack.as_json(manifest)
    if problems := verify_pack.problems_of(files):
        raise EvidenceBroken(f"the evidence of {business_date} does not fit together: {problems[0]}")
    target = target or settings.evidence / "packs" / f"evidence_{settings.bank}_{business_date}.zip"
    write_atomically(target, _zip(files))
    return target


def _publish_of(settings: Settings, entries: list[dict], business_date: date) -> dict:
    published = [
        entry
        for entry in entries
        if entry["event"] == "run_finished"
        and (entry["body"]["bank"], entry["body"]["outcome"]) == (settings.bank, "published")
    ]
    for entry in reversed(published):
        if entry["body"]["business_dates"][-1] == business_date.isoformat():
            return entry
    dates = sorted({entry["body"]["business_dates"][-1] for entry in published})
    known = f"published are {dates[0]} to {dates[-1]}, {len(dates)} dates" if dates else "nothing was published yet"
    raise SettingsError(f"{settings.bank} never published business date {business_date}: {known}")


def _files(settings: Settings, entries: list[dict]) -> dict[str, bytes]:
    entry = entries[-1]
    body, results = entry["body"], proven_results(settings, entry)
    head = log.read_head(settings)
    anchored = [*head["earlier"], head["hash"]][entry["sequence"] - 1]
    run = settings.run_folder(body["run_id"])
    code = kept.files_of_code(settings, body["code_sha256"])
    folder = f"dbt_project/banks/{body['bank']}/policy/"
    policy = {path: digest for path, digest in code.items() if path.startswith(folder)}
    told = {"bank": body["bank"], "business_date": body["business_dates"][-1]}
    return {
        "README.txt": README.format(**told).encode("utf-8"),
        "verify.py": Path(verify_pack.__file__).read_bytes(),
        "log.jsonl": b"".join(map(log.line_of, entries)),
        "anchored_head.json": verify_pack.as_json({"sequence": entry["sequence"], "hash": anchored}),
        **{f"run/{step}.json": (run / f"{step}.json").read_bytes() for step in results},
        "rules.csv": verify_pack.rules_csv(results["landing_gate"], results["mart_gate"]),
        "rows.csv": verify_pack.rows_csv(results["landing_gate"]),
        "waivers.json": verify_pack.as_json(verify_pack.waivers_of(entries, body["bank"])),
        "version.json": verify_pack.as_json(verify_pack.version_of(entry)),
        **{f"policy/{path[len(folder) :]}": kept.read(settings, digest) for path, digest in policy.items()},
        "lineage.json": kept.read(settings, results["build"]["lineage_sha256"]),
        "code.txt": kept.read(settings, body["code_sha256"]),
    }


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, LONG_AGO)
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            pack.writestr(member, content)
    return buffer.getvalue()
