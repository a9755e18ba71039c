"""`crm-warehouse profile new`: a first profile that is right in form, with a TODO wherever only the bank knows."""

from __future__ import annotations

from pathlib import Path

from crm_warehouse.errors import SettingsError
from crm_warehouse.onboarding.contract import CanonicalTable, read_contract
from crm_warehouse.onboarding.guess import Guess, guess_extracts
from crm_warehouse.onboarding.policies import FILES, columns_of
from crm_warehouse.onboarding.scaffold_texts import (
    AGE_BANDS,
    EXTRACTS_HEAD,
    EXTRACTS_TAIL,
    PARAMETERS,
    PERSONAL,
    THRESHOLDS,
    VALUES,
)

TYPES = {"varchar": "text", "bigint": "integer", "decimal(18,2)": "decimal", "decimal(18,6)": "quantity",
         "decimal(38,6)": "quantity", "decimal(18,9)": "fraction"}  # fmt: skip
ADDED = ("business_date", "received_at")  # landing gives them to every row
REFERENCES = {
    ("core__accounts", "customer_id"): "core.customers.customer_id",
    ("core__accounts", "product_id"): "core.products.product_id",
    ("core__balances", "account_id"): "core.accounts.account_id",
}


def new_profile(project: Path, bank: str, data: Path | None) -> list[Path]:
    """Write the folder of a new bank; the files it wrote. Never overwrites: SettingsError when the folder is there."""
    folder = project / "dbt_project" / "banks" / bank
    if folder.exists():
        raise SettingsError(f"{folder} is there already: nothing was written; choose another name or work on that one")
    required = {name: table for name, table in read_contract(project).items() if table.is_required}
    guesses = guess_extracts(data) if data else []
    if data and not guesses:
        raise SettingsError(
            f"{data} has no delimited or Parquet file to guess from: leave --from out, or give another folder"
        )
    files = {
        "extracts.yml": _extracts(bank, required, guesses),
        **{f"staging/{name}.sql": _mapping(table, guesses) for name, table in required.items()},
        **{f"policy/{name}.csv": policy_text(bank, name) for name in FILES},
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _extracts(bank: str, required: dict[str, CanonicalTable], guesses: list[Guess]) -> str:
    if guesses:
        sources = _guessed_sources(guesses)
        customers = _best(guesses, "customers")
        customer_column = f"{customers.source}.{customers.name}.{customers.key}"
        first = next((guess.business_date for guess in guesses if guess.business_date), "2026-01-31")
    else:
        sources = _template_sources(required)
        customer_column, first = "core.customers.customer_id", "2026-01-31"
    return EXTRACTS_HEAD.format(bank=bank, first=first, customer_column=customer_column) + sources + EXTRACTS_TAIL


def _template_sources(required: dict[str, CanonicalTable]) -> str:
    lines = [
        "  core:                                  # a system of the bank; its extracts have one kind and one connection",
        "    kind: delimited",
        '    file: "core/{business_date}/{extract}.csv"  # TODO: the path below the data folder',
        "    encoding: utf-8                      # TODO: or gb18030",
        '    delimiter: ","                       # TODO: or "|", "|+|", ";"',
        "    control: true                        # a .ctl file beside each: file, business_date, sequence, rows, sha256, sent_at",
        "    extracts:",
    ]
    for table in required.values():
        name = table.name.split("__")[1]
        lines += [
            f"      {name}:  # TODO: the columns of your file, in its order, by its names",
            "        delivery: full",
            "        columns:",
        ]
        for column, kind in table.columns.items():
            if column not in (*ADDED, "balance_basis"):
                lines.append(f"          {column}: {{{_attributes(table, column, kind)}}}")
    return "\n".join(lines) + "\n"


def _attributes(table: CanonicalTable, column: str, kind: str) -> str:
    said = [f"type: {TYPES.get(kind, kind)}"]
    if column in table.key:
        said.append("key: true")
    if reference := REFERENCES.get((table.name, column)):
        said.append(
            f"required: true, references: {reference}" if column not in table.key else f"references: {reference}"
        )
    if column == "balance_amount":
        said.append("required: true, control_total: true")
    if column in VALUES:
        said.append(f"values: [{', '.join(VALUES[column])}]")
    if column in PERSONAL:
        said.append("personal: true")
    return ", ".join(said)


def _guessed_sources(guesses: list[Guess]) -> str:
    lines = []
    for source in dict.fromkeys(guess.source for guess in guesses):
        of_source = [guess for guess in guesses if guess.source == source]
        lines += [f"  {source}:", f"    kind: {of_source[0].kind}", "    extracts:"]
        for guess in of_source:
            lines += guess.as_yaml()
    return "\n".join(lines) + "\n"


def _best(guesses: list[Guess], name: str) -> Guess:
    """The guessed extract that most likely is a canonical one: by its name, else the first."""
    stems = {"customers": ("customer", "client", "cust"), "fx_rates": ("fx", "rate"), "products": ("product", "prod")}
    for stem in stems.get(name, (name.rstrip("s"),)):
        for guess in guesses:
            if stem in guess.name:
                return guess
    return guesses[0]


def _mapping(table: CanonicalTable, guesses: list[Guess]) -> str:
    name = table.name.split("__")[1]
    source = _best(guesses, name) if guesses else None
    known = set(source.columns) if source else set(table.columns)
    todo = " -- TODO: say which column it is, or leave null" if source else ""
    columns = []
    for column in table.columns:
        if column == "balance_basis":
            columns.append("    'end_of_day' as balance_basis,")
        elif column in ADDED or column in known:
            columns.append(f"    landed.{column},")
        else:
            columns.append(f"    null as {column},{todo}")
    comma = columns[-1].rindex(",")
    columns[-1] = columns[-1][:comma] + columns[-1][comma + 1 :]
    place = f"'{source.source}', '{source.name}'" if source else f"'core', '{name}'"
    marked = "GUESS: the file that looks most like it." if source else "TODO: expressions where your columns differ."
    return f"-- {marked}\nselect\n" + "\n".join(columns) + f"\nfrom {{{{ landed({place}) }}}} as landed\n"


def policy_text(bank: str, name: str) -> str:
    """A policy file to begin with."""
    rows = {
        "tier_policies": [
            f"{bank},{bank}-1,Ladder of {bank} (TODO: your ladder),等级,true,total,month,calendar,bank,1,last,1,monthly,,2000-01-01,,TODO,TODO,"
        ],
        "tier_thresholds": [
            f"{bank},{bank}-1,standard,Standard,标准,1,0,0.20,,0,false",
            f"{bank},{bank}-1,premium,Premium (TODO: your tiers),尊享,2,100000,0.20,,0,false",
        ],
        "policy_parameters": PARAMETERS,
        "landing_thresholds": THRESHOLDS,
        "age_bands": AGE_BANDS,
    }
    return "\n".join([",".join(columns_of(name)), *rows.get(name, [])]) + "\n"
