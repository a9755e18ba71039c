"""Each mistake that people make when they bring a bank in gives one sentence: where, what is wrong, what to do."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from onboarding.river_bank import BANK, DAYS, NewUser

from crm_warehouse.errors import SettingsError
from crm_warehouse.onboarding.check import check_profile
from crm_warehouse.onboarding.findings import blocking
from crm_warehouse.onboarding.guess import guess_extracts
from crm_warehouse.onboarding.scaffold import new_profile
from crm_warehouse.pipeline import plan_run
from crm_warehouse.profile import load_profile
from crm_warehouse.profile_checks import ProfileRefused
from crm_warehouse.settings import Settings


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> NewUser:
    """A right profile and its deliveries, never changed."""
    user = NewUser.below(tmp_path_factory.mktemp("right"))
    new_profile(user.project, BANK, None)
    user.fill_in()
    user.send_all()
    return user


@pytest.fixture
def user(right: NewUser, tmp_path: Path) -> NewUser:
    """A copy of it, to make a mistake in."""
    project = tmp_path / "project"
    shutil.copytree(right.bank, project / "dbt_project" / "banks" / BANK)
    for folder in ("macros", "models"):
        (project / "dbt_project" / folder).symlink_to(right.project / "dbt_project" / folder)
    shutil.copytree(right.data, tmp_path / "sent")
    return NewUser(project, tmp_path / "home", tmp_path / "sent")


def settings_of(user: NewUser) -> Settings:
    return Settings(bank=BANK, home=user.home, project=user.project, source_root=user.data)


def only_block(user: NewUser, data: Path | None = None) -> str:
    """The one finding that blocks."""
    found = [finding.text for finding in blocking(check_profile(settings_of(user), data))]
    assert len(found) == 1, found
    return found[0]


def test_the_right_profile_has_nothing_in_the_way(user):
    assert blocking(check_profile(settings_of(user), user.data)) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("delimiter:", "delimeter:", "core has unknown setting delimeter; did you mean delimiter?"),
        ("required: true, personal", "reqired: true, personal", "core.customers.full_name has unknown attribute reqired; did you mean required?"),
        ("amount: {type: decimal", "amount: {type: decimals", "core.balances.amount.type is 'decimals': use one of text, date"),
        ("kind: parquet", "kind: parket", "wealth.kind is 'parket': use one of delimited, parquet, http, postgresql; did you mean parquet?"),
        ("        delivery: full\n        columns:\n          product_id", "        delivery: fully\n        columns:\n          product_id", "wealth.products.delivery is 'fully': use one of full, events, changes; did you mean full?"),
        ("encoding: gb18030", "encoding: gb18303", "core.encoding is 'gb18303', which is no encoding; did you mean gb18030?"),
        ("{business_date}/{extract}.txt", "{date}/{extract}.txt", "core.file holds {date}; did you mean business_date?; it may hold {business_date} and {extract} only"),
        ("acct: {type: text, key: true}\n          cust_no", "acct: {type: text}\n          cust_no", "core.accounts has no key: mark at least one column with `key: true`"),
        ("references: core.accounts.acct}", "references: core.account.acct}", "core.balances.acct references core.account.acct, which no extract has: write source.extract.column; did you mean core.accounts.acct?"),
        ("customer_column: core.customers.cust_no", "customer_column: core.customers.customer_no", "customer_column core.customers.customer_no is in no extract: write source.extract.column; did you mean core.customers.cust_no?"),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shangai", "timezone is 'Asia/Shangai', which is no zone of the tz database, as Asia/Shanghai is; did you mean Asia/Shanghai?"),
        ("initial_delivery_on: 2026-03-31", "initial_delivery_on: 2026-02-31", "initial_delivery_on is '2026-02-31': write a date that exists, as YYYY-MM-DD"),
        ('delivery_cut_off: "02:00"', "delivery_cut_off: 22:00", "delivery_cut_off is 1320: write a time of the next day in quotes"),
        ('format: "%d.%m.%Y"}\n          joined', 'format: "DD.MM.YYYY"}\n          joined', "core.customers.born.format is 'DD.MM.YYYY': write it as strptime does"),
        ("values: [F, M]", "values: [F, M, no]", 'core.customers.sex.values.2 is False: YAML reads yes, no, on, off as true and false: put "..." around it'),
        ("          branch: {type: text, required: true}", "          on: {type: text, required: true}", 'core.customers.on is no text for YAML (it reads yes, no, on, off and numbers otherwise): write "on"'),
        ("          branch: {type: text, required: true}", "          born: {type: text, required: true}", "core.customers.born is written twice"),
        ("reporting_currency: CNY", "reporting_currency: yuan", "reporting_currency is 'yuan': write an ISO code of three capitals"),
        ("full_name: {type: text, required: true, personal: true}", "full_name: {type: text, control_total: true}", "core.customers.full_name is a control total, but its type is text: only a number adds up"),
        ("bank: river_bank", "bank: rivr_bank", "bank is rivr_bank, but the folder is river_bank"),
    ],
)  # fmt: skip
def test_a_mistake_in_extracts_yml(user, old, new, sentence):
    user.edit("extracts.yml", old, new)
    text = only_block(user)
    assert sentence in text
    if "but the folder is" not in text:
        lines = (user.bank / "extracts.yml").read_text(encoding="utf-8").splitlines()
        line = int(text.split("line ")[1].split(":")[0])
        assert str(user.bank / "extracts.yml") in text
        place = sentence.split(" ")[0].split(".")
        assert any(f"{part}:" in lines[line - 1] for part in (*place, new.split(":")[0].strip(), "columns")), lines[
            line - 1
        ]


def test_all_mistakes_are_told_at_once_each_with_its_line(user):
    user.edit("extracts.yml", "delimiter:", "delimeter:")
    user.edit("extracts.yml", "amount: {type: decimal", "amount: {type: money")
    user.edit("extracts.yml", "timezone: Asia/Shanghai", "timezone: Mars")
    with pytest.raises(ProfileRefused) as refused:
        load_profile(settings_of(user))
    assert len(refused.value.problems) == 3
    assert [p.line for p in refused.value.problems] == sorted(p.line for p in refused.value.problems)


def test_an_address_in_the_profile_is_never_repeated(user):
    user.edit("extracts.yml", "sources:\n", "sources:\n  crm:\n    kind: http\n    connection: https://:canary@crm\n    extracts:\n      contacts: {delivery: full, columns: {contact_id: {type: text, key: true}}}\n")  # fmt: skip
    text = only_block(user)
    assert "never an address" in text and "canary" not in text


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("core__accounts", "landed.acct as", "landed.account as", 'Table "landed" does not have a column named "account"'),
        ("core__accounts", "'core', 'accounts'", "'core', 'acounts'", "landed('core', 'acounts') is not declared in extracts.yml; did you mean core.accounts?"),
        ("core__accounts", "landed.state as account_status", "landed.state as status", "gives no account_status, which core__accounts has"),
        ("core__accounts", "{{ landed(", "{{ landd(", "'landd' is undefined; did you mean landed?"),
        ("core__accounts", "landed.opened as opened_on", "true as opened_on", "opened_on is boolean, which cannot become date"),
        ("core__accounts", "select\n", "selct\n", "the engine refuses it: Parser Error"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mapping(user, file, old, new, sentence):
    user.edit(f"staging/{file}.sql", old, new)
    text = only_block(user)
    assert sentence in text
    assert f"{user.bank / 'staging' / file}.sql, line " in text


def test_a_mapping_of_no_canonical_table(user):
    (user.bank / "staging" / "core__accounts.sql").rename(user.bank / "staging" / "core__account.sql")
    found = [finding.text for finding in blocking(check_profile(settings_of(user), None))]
    assert "is no canonical table; did you mean core__accounts?" in found[0]
    assert "every bank must provide core__accounts" in found[1]


def test_a_required_table_is_provided_or_declared_missing(user):
    (user.bank / "staging" / "reference__fx_rates.sql").unlink()
    assert "every bank must provide reference__fx_rates: map it, or declare" in only_block(user)
    user.edit("extracts.yml", "# not_provided: [core__balances]", "not_provided: [reference__fx_rates]")
    assert blocking(check_profile(settings_of(user), None)) == []
    user.edit("extracts.yml", "[reference__fx_rates]", "[reference__fx_rate]")
    found = [finding.text for finding in blocking(check_profile(settings_of(user), None))]
    assert "is no canonical table; did you mean reference__fx_rates?" in found[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("tier_thresholds", ",2,3000", ",3,3000", "line 3: the ladder river_bank-1 has the ranks 1, 3: number them 1, 2, 3 without a gap"),
        ("tier_thresholds", ",1,0,", ",1,100,", "line 2: the ladder river_bank-1 begins at 100: the lowest tier begins at 0"),
        ("tier_thresholds", ",2,3000", ",2,0", "has premium at 0, not above standard at 0"),
        ("tier_thresholds", ",2,3000", ",2,many", "line 3: threshold_amount is 'many': write a number"),
        ("tier_thresholds", "threshold_amount", "treshold_amount", "line 1: the header lacks threshold_amount; treshold_amount looks like threshold_amount"),
        ("tier_policies", "2000-01-01", "2026-04-01", "the active ladder begins on 2026-04-01, after the initial delivery of 2026-03-31"),
        ("tier_policies", ",true,", ",false,", "no policy has is_active true"),
        ("tier_policies", ",total,", ",totl,", "line 2: rating_base is 'totl': use one of total, net, weighted; did you mean total?"),
        ("tier_policies", ",monthly,", ",weekly,", "line 2: review_calendar is 'weekly': use one of monthly, quarterly"),
        ("tier_policies", ",last,", ",best,", "line 2: landing_rule is 'best': use one of last, max"),
        ("tier_policies", "2000-01-01", "2000-01-15", "line 2: effective_from is 2000-01-15: a ladder changes on the first of a month"),
        ("tier_policies", "2000-01-01,,", "2000-01-01,1999-01-01,", "line 2: effective_to 1999-01-01 is not after effective_from 2000-01-01"),
        ("tier_policies", ",bank,1,", ",bank,-1,", "line 2: up_lag_months is -1: write 0 or more"),
        ("tier_policies", ",board,DEC-1,", ",,DEC-1,", "line 2: approved_by is empty"),
        ("tier_policies", ",board,DEC-1,", ",board, ,", "line 2: decision_reference is empty"),
        ("tier_thresholds", "premium,", "standard,", "line 3: the ladder river_bank-1 has standard twice"),
        ("tier_thresholds", "river_bank,river_bank-1,premium", "river_bank,river_bank-2,premium", "line 3: river_bank river_bank-2 is no version in tier_policies.csv"),
        ("policy_parameters", "quarantine_max_share", "quarantine_max_shar", "no quarantine_max_share; did you mean quarantine_max_shar?"),
        ("policy_parameters", "interest_day_count,365,2000-01-01", "interest_day_count,365,01.01.2000", "line 4: effective_from is '01.01.2000': write a date as YYYY-MM-DD"),
        ("age_bands", "18_34,18,34", "18_34,19,34", "18_34 begins at 19, but under_18 ends at 17"),
    ],
)  # fmt: skip
def test_a_mistake_in_policy(user, file, old, new, sentence):
    user.edit(f"policy/{file}.csv", old, new)
    text = only_block(user)
    assert sentence in text and "policy" in text


def test_versions_of_a_ladder_follow_without_gap_or_overlap_and_keep_the_tiers_customers_hold(user):
    policies, tiers = (user.bank / "policy" / f"{name}.csv" for name in ("tier_policies", "tier_thresholds"))
    written = policies.read_text(encoding="utf-8")
    second = written.splitlines()[1].replace("river_bank-1", "river_bank-2").replace("2000-01-01", "2027-01-01")
    policies.write_text(written + second + "\n", encoding="utf-8")
    lowest = tiers.read_text(encoding="utf-8").splitlines()[1].replace("river_bank-1", "river_bank-2")
    tiers.write_text(tiers.read_text(encoding="utf-8") + lowest + "\n", encoding="utf-8")
    found = " ".join(finding.text for finding in blocking(check_profile(settings_of(user), None)))
    assert "line 3: river_bank-1 ends on no date, but river_bank-2 begins on 2027-01-01: one must end the day" in found
    assert "river_bank-2 has no tier premium, which river_bank-1 has and customers hold: keep it" in found


def test_a_weight_counts_only_where_weighted_assets_are_rated(user):
    path = user.bank / "policy" / "tier_asset_weights.csv"
    path.write_text(path.read_text(encoding="utf-8") + "river_bank,river_bank-1,fund,0.5\n", encoding="utf-8")
    assert "line 2: river_bank-1 rates total assets: a weight counts only where rating_base is weighted" in only_block(
        user
    )


LEDGER_HEADER = (
    "ledger_code,line_name_en,line_name_zh,reconciled_with,effective_from,effective_to,approved_by,decision_reference\n"
)
COMPONENTS = "deposit_transfer_income deposit_interest loan_interest loan_transfer_charge fee_income expected_loss cost_to_serve_full perks"
LEDGER = LEDGER_HEADER + "".join(
    f"60{n},Line,科目,{name},2000-01-01,,cfo,DEC-1\n" for n, name in enumerate(COMPONENTS.split())
)
CLASSES = """\
transaction_type,counterparty_type,is_own_name,flow_class,flow_use,effective_from,approved_by,decision_reference
OUT,,,external,payment,2000-01-01,board,DEC-1
OUT,other_bank,true,external,own,2000-01-01,board,DEC-1
"""
MAPPINGS = """\
counterparty,counterparty_kind,institution_id,top_up_use,effective_from,approved_by,decision_reference
PAY,institution,PAY,money_fund,2000-01-01,board,DEC-1
0a1b,name,PAY,,2000-01-01,board,DEC-1
"""
RATES = "product_id,effective_from,rate,approved_by,decision_reference\nDEM,2000-01-01,0.001,board,DEC-1\nDEM,2020-01-01,0.002,board,DEC-1\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("deposit_rates", "0.001", "4.5", "line 2: rate is '4.5': write a fraction below 1, as 0.045 for 4.5 %"),
        ("deposit_rates", "0.001", "0.45", "line 2: rate of DEM is 0.45, above interest_rate_highest 0.36: write a fraction"),
        ("deposit_rates", "0.001,board", "0.001,", "line 2: approved_by is empty"),
        ("deposit_rates", "0.001,board", "0.001, ", "line 2: approved_by is empty: it is in force by somebody's decision"),
        ("deposit_rates", "2020-01-01", "2000-01-01", "line 3: effective_from 2000-01-01 of DEM is not after 2000-01-01: write dates ascending, each once"),
        ("ledger_contribution_lines", "fee_income", "fees", "line 6: reconciled_with is 'fees': use one of deposit_transfer_income, deposit_interest"),
        ("ledger_contribution_lines", "601,", "6 01,", "line 3: ledger_code is '6 01': write letters, digits"),
        ("ledger_contribution_lines", "perks,2000-01-01,,", "perks,2000-01-01,2000-01-01,", "line 9: effective_to 2000-01-01 is not after effective_from 2000-01-01"),
        ("ledger_contribution_lines", "perks,2000-01-01", "perks,2000-01-15", "line 9: effective_from is 2000-01-15: a ledger line changes on the first of a month"),
        ("ledger_contribution_lines", "perks,2000-01-01,,cfo", "perks,2000-01-01,,", "line 9: approved_by is empty"),
        ("ledger_contribution_lines", "perks", "fee_income", "line 9: reconciled_with fee_income begins on 2000-01-01, but line 6 has it until no date: one must end the day the next begins"),
        ("ledger_contribution_lines", "607,Line,科目,perks,2000-01-01,,cfo,DEC-1\n", "", "no line is reconciled with perks: what is in no line ties to nothing"),
        ("ledger_contribution_lines", "607,Line,科目,perks,2000-01-01,,cfo,DEC-1\n", "607,Line,科目,perks,2000-01-01,2020-01-01,cfo,DEC-1\n607,Line,科目,perks,2021-01-01,,cfo,DEC-1\n", "line 10: ledger_code 607 begins on 2021-01-01, but line 9 has it until 2020-01-01: one must end the day the next begins"),
        ("transaction_classes", "external", "extern", "line 2: flow_class is 'extern': use one of external, income, fee, conversion, internal"),
        ("transaction_classes", "true", "yes", "line 3: is_own_name is 'yes': write true or false"),
        ("counterparty_mappings", "money_fund", "fund", "line 2: top_up_use is 'fund': use one of top_up, money_fund, nothing"),
        ("counterparty_mappings", "0a1b,name", "0a1b,token", "line 3: counterparty_kind is 'token': use one of institution, name"),
        ("counterparty_mappings", "0a1b,name,PAY", "0a1b,name,", "line 3: institution_id is empty"),
        ("counterparty_mappings", "0a1b,name,PAY,,2000-01-01", "PAY,institution,PAY,,1999-01-01", "line 3: effective_from 1999-01-01 of institution PAY is not after 2000-01-01"),
        ("policy_parameters", "poaching_min_share,0.20", "poaching_min_share,20 %", "value is '20 %': write a number with a decimal point"),
        ("policy_parameters", "interest_rate_highest,0.36", "interest_rate_highest,36 %", "value is '36 %': write a number with a decimal point"),
    ],
)  # fmt: skip
def test_a_run_is_refused_wrong_prices_before_it_reads_anything(user, file, old, new, sentence):
    (user.bank / "policy" / "deposit_rates.csv").write_text(RATES, encoding="utf-8")
    (user.bank / "policy" / "ledger_contribution_lines.csv").write_text(LEDGER, encoding="utf-8")
    (user.bank / "policy" / "transaction_classes.csv").write_text(CLASSES, encoding="utf-8")
    (user.bank / "policy" / "counterparty_mappings.csv").write_text(MAPPINGS, encoding="utf-8")
    plan_run(settings_of(user), "run", date(2026, 3, 31), date(2026, 4, 1))
    user.edit(f"policy/{file}.csv", old, new)
    with pytest.raises(SettingsError) as refused:
        plan_run(settings_of(user), "run", date(2026, 3, 31), date(2026, 4, 1))
    assert sentence in str(refused.value) and str(user.bank / "policy" / file) in str(refused.value)
    assert sentence in blocking(check_profile(settings_of(user), None))[0].text


def test_a_run_is_refused_a_wrong_ladder_before_it_reads_anything(user):
    user.edit("policy/tier_thresholds.csv", ",2,3000", ",2,0")
    with pytest.raises(SettingsError, match="line 3: .*premium at 0, not above standard at 0") as refused:
        plan_run(settings_of(user), "run", date(2026, 3, 31), date(2026, 4, 1))
    assert str(user.bank / "policy" / "tier_thresholds.csv") in str(refused.value)
    assert not settings_of(user).run_folder("run").exists()


@pytest.mark.parametrize(
    ("file", "row", "sentence"),
    [
        ("customer_events", "transfer,,,,true,2000-01-01,board,DEC-1", "line 2: event_type is 'transfer': use one of transaction, contact, order, service_request, survey"),
        ("customer_events", "survey,,,,yes,2000-01-01,board,DEC-1", "line 2: counts is 'yes': write true or false"),
        ("churn_signs", "core__customers,status,dead,death,2000-01-01,board,DEC-1", "line 2: source_table.source_column is 'core__customers.status': use one of crm__service_requests.category"),
        ("churn_signs", "crm__contacts,outcome,dead,died,2000-01-01,board,DEC-1", "line 2: cause is 'died': use one of death, divorce, displacement"),
    ],
)  # fmt: skip
def test_policy_of_churn_names_only_what_models_read(user, file, row, sentence):
    path = user.bank / "policy" / f"{file}.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    (found,) = blocking(check_profile(settings_of(user), None))
    assert sentence in found.text and str(path) in found.text


def test_dates_of_policy_ascend(user):
    path = user.bank / "policy" / "policy_parameters.csv"
    written = path.read_text(encoding="utf-8")
    path.write_text(written + "interest_day_count,360,1999-01-01,board,DEC-2,\n", encoding="utf-8")
    line = written.count("\n") + 1
    assert f"line {line}: effective_from 1999-01-01 of interest_day_count is not after 2000-01-01" in only_block(user)


def test_a_policy_file_that_is_missing_comes_with_its_header(user):
    (user.bank / "policy" / "age_bands.csv").unlink()
    assert "age_bands.csv is missing: write it with the header age_band,age_from,age_to" in only_block(user)


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        (f"core/{DAYS[0]}/accounts.txt", None, "is missing; ask the core system to send it"),
        (f"core/{DAYS[0]}/accounts.ctl", None, "its control file accounts.ctl is missing"),
        (f"wealth/products_{DAYS[0]}.parquet", b"PAR1", "is not a whole Parquet file"),
    ],
)
def test_a_mistake_in_the_delivery(user, file, change, sentence):
    (user.data / file).unlink()
    if change:
        (user.data / file).write_bytes(change)
    assert sentence in only_block(user, user.data)


def test_a_header_that_is_not_the_profile_s(user):
    user.edit("extracts.yml", "          joined: {type", "          joined_on: {type")
    user.edit("staging/core__customers.sql", "landed.joined as", "landed.joined_on as")
    text = only_block(user, user.data)
    assert "the header lacks joined_on and has unknown joined; it must match the profile exactly" in text


def test_a_connection_that_is_not_configured_is_a_warning(user, monkeypatch):
    monkeypatch.delenv("CRM_WAREHOUSE_CONNECTION_CRM_API", raising=False)
    user.edit("extracts.yml", "sources:\n", "sources:\n  crm:\n    kind: http\n    connection: crm_api\n    extracts:\n      contacts: {delivery: full, columns: {contact_id: {type: text, key: true}}}\n")  # fmt: skip
    found = check_profile(settings_of(user), None)
    assert blocking(found) == []
    assert any("set CRM_WAREHOUSE_CONNECTION_CRM_API" in f.text for f in found if f.level == "warning")


def test_extracts_are_guessed_from_files(right, tmp_path):
    guesses = {guess.name: guess for guess in guess_extracts(right.data)}
    customers = guesses["customers"]
    assert (customers.file, customers.encoding, customers.delimiter) == (
        "core/{business_date}/customers.txt",
        "gb18030",
        "|",
    )
    assert (customers.key, customers.control, customers.business_date) == ("cust_no", True, DAYS[0])
    assert (customers.columns["cust_no"], customers.columns["born"]) == (("text", None), ("date", "%d.%m.%Y"))
    assert (guesses["products"].kind, guesses["products"].source) == ("parquet", "wealth")
    user = NewUser.below(tmp_path)
    new_profile(user.project, BANK, right.data)
    found = check_profile(settings_of(user), right.data)
    assert blocking(found) == []
    assert sum("guessed from the first rows" in finding.text for finding in found) == 5


def test_nothing_is_guessed_from_nothing(tmp_path):
    user = NewUser.below(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="no delimited or Parquet file"):
        new_profile(user.project, BANK, tmp_path / "empty")
    assert not user.bank.exists()


def test_each_date_of_the_age_bands_is_a_whole_list(user):
    path = user.bank / "policy" / "age_bands.csv"
    written = path.read_text(encoding="utf-8")
    path.write_text(
        written + "under_40,0,39,false,2027-01-01,board,DEC-2\n40_on,40,130,true,2027-01-01,board,DEC-2\n",
        encoding="utf-8",
    )
    assert not blocking(check_profile(settings_of(user), None))
    path.write_text(written + "40_on,40,130,true,2027-01-01,board,DEC-2\n", encoding="utf-8")
    assert "age_bands.csv: the first band begins at 40: begin at 0" in only_block(user)
