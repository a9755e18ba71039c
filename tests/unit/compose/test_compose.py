"""Checks docker-compose.yml without Docker: the schema, the secrets, the start order and the Airflow commands in it."""

import importlib.resources
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import check_jsonschema
import jsonschema
import yaml

REPO = Path(__file__).parents[3]
COMPOSE_FILE = REPO / "docker-compose.yml"
COMPOSE = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES = COMPOSE["services"]
ONE_SHOT = {name for name, service in SERVICES.items() if service["restart"] == "no"}
# Every reference to a variable of the environment: its name, then what follows it (":-default" or ":?message").
REFERENCES = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", COMPOSE_FILE.read_text())
SECRET_NAME = re.compile(r"PASSWORD|SECRET|FERNET|TOKEN|CREDENTIAL|_KEY$|_CONN$", re.IGNORECASE)
REQUIRED = re.compile(r"\$\{\w+:\?[^}]+\}")
TELEMETRY_OFF = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}


def environments():
    return {name: service["environment"] for name, service in SERVICES.items() if "environment" in service}


def airflow_services():
    return {name: service for name, service in SERVICES.items() if name.startswith("airflow-")}


def airflow_commands(words):
    """The argument lists of every `airflow ...` call in a command: the command itself, or those in its bash script."""
    if words[0] == "airflow":
        return [words[1:]]
    found = []
    if words[0] == "bash":
        for line in words[-1].replace("\\\n", " ").splitlines():
            call = []
            # A trailing ";" closes the last call as an operator between two calls would.
            for word in [*shlex.shlex(line, posix=True, punctuation_chars=True), ";"]:
                if re.fullmatch(r"[();<>|&]+", word):
                    found += [call[1:]] if call[:1] == ["airflow"] else []
                    call = []
                else:
                    call.append(word)
    return found


def all_airflow_commands():
    lines = [service["command"] for service in SERVICES.values() if "command" in service]
    lines += [service["healthcheck"]["test"][1:] for service in SERVICES.values() if "healthcheck" in service]
    return [command for words in lines for command in airflow_commands(words)]


def test_file_is_valid_by_the_compose_specification():
    schema = importlib.resources.files(check_jsonschema) / "builtin_schemas/vendor/compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


def test_one_image_serves_every_python_service():
    built = {name: service for name, service in SERVICES.items() if name != "postgres"}
    assert {service["image"] for service in built.values()} == {"crm-warehouse:local"}
    dockerfiles = {service["build"]["dockerfile_inline"] for service in built.values()}
    assert len(dockerfiles) == 1
    lines = dockerfiles.pop().splitlines()
    assert lines[0] == "FROM python:3.11-slim"
    assert "RUN pip install --no-deps --require-hashes --requirement requirements.lock" in lines
    assert "RUN pip install --no-deps --no-build-isolation --editable ." in lines
    assert lines[-1] == "USER crm"
    # A copy of the whole context would carry .env and var/ into the image.
    sources = [source for line in lines if line.startswith("COPY") for source in line.split()[1:-1]]
    assert not {".", "./", ".env", "var"} & set(sources)


def test_secrets_come_from_the_environment_only():
    for service, environment in environments().items():
        for name, value in environment.items():
            if name.endswith("_CONN"):
                value = re.fullmatch(r"[\w+]+://[^:@]+:(.+)@[^@]+", value)[1]
            if SECRET_NAME.search(name):
                assert REQUIRED.fullmatch(value), f"{service}: {name} must be a ${{VAR:?message}} and nothing else"


def test_no_secret_has_a_default_and_nothing_else_is_required():
    for name, rest in REFERENCES:
        assert rest.startswith(":?" if SECRET_NAME.search(name) else ":-"), name


def test_secrets_reach_only_the_services_that_need_them():
    receivers = {name for name, environment in environments().items() if "ADMIN_PASSWORD" in environment}
    assert receivers == {"airflow-init"}
    assert "environment" not in SERVICES["report"]


def test_env_example_lists_exactly_the_variables_and_gives_no_value():
    lines = (REPO / ".env.example").read_text().splitlines()
    assigned = [line for line in lines if line and not line.startswith("#")]
    assert all(line.endswith("=") for line in assigned)
    assert sorted(line[:-1] for line in assigned) == sorted({name for name, _ in REFERENCES})


def test_every_service_has_a_healthcheck_or_is_a_one_shot():
    assert {"airflow-init"} == ONE_SHOT
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) is (name not in ONE_SHOT), name
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
        assert name in ONE_SHOT or service["healthcheck"]["test"][0] == "CMD"


def test_start_order_waits_for_health_or_for_the_end_of_a_one_shot():
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wait == {"condition": expected}, f"{name} -> {other}"
    for name in SERVICES.keys() - ONE_SHOT - {"postgres"}:
        assert {"postgres", *ONE_SHOT} <= SERVICES[name]["depends_on"].keys(), name


def test_ports_are_bound_to_the_loopback_address():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_volumes_are_declared_and_what_is_only_read_is_mounted_read_only():
    for service in SERVICES.values():
        for mount in service["volumes"]:
            source, target = re.fullmatch(r"(\$\{[^}]+\}|[^:]+):(.+)", mount).groups()
            assert source in COMPOSE["volumes"] or target.endswith(":ro"), mount
    assert all(mount.endswith(":ro") for mount in SERVICES["report"]["volumes"])
    assert SERVICES["report"]["read_only"] is True


def test_every_airflow_service_turns_telemetry_and_examples_off():
    expected = {**TELEMETRY_OFF, "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}
    for name, service in airflow_services().items():
        assert expected.items() <= service["environment"].items(), name


def test_components_share_one_environment():
    init_only = {"ADMIN_USER", "ADMIN_PASSWORD"}
    shared = [
        {key: value for key, value in service["environment"].items() if key not in init_only}
        for service in airflow_services().values()
    ]
    assert all(environment == shared[0] for environment in shared)


def test_airflow_accepts_every_command_and_the_login_is_real(tmp_path):
    commands = all_airflow_commands()
    assert len(commands) == 9  # three of the set-up, four services, two health checks
    manager = SERVICES["airflow-api-server"]["environment"]["AIRFLOW__CORE__AUTH_MANAGER"]
    # In a process of its own: Airflow reads its settings and makes its home folder when it is imported.
    program = """
import json, sys
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
manager = conf.getimport("core", "auth_manager")
assert not issubclass(manager, SimpleAuthManager), manager
for command in json.load(sys.stdin):
    arguments = get_parser().parse_args(command)
    assert callable(arguments.func), command
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__AUTH_MANAGER": manager}
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        input=json.dumps(commands),
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def test_init_makes_the_admin_and_a_pool_with_one_slot():
    commands = airflow_commands(SERVICES["airflow-init"]["command"])
    assert commands[0] == ["db", "migrate"]
    assert commands[1][:4] == ["users", "create", "--role", "Admin"]
    # An argument shows in the process list, so the password is piped in.
    assert "--password" not in commands[1] and "-p" not in commands[1]
    assert commands[2][:4] == ["pools", "set", "warehouse_writer", "1"]
