"""Relationship managers, service, surveys and campaigns: who looked after whom, and what they said."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import after, all_equal, drop, edit, is_, new_ids, repeat, scale
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import moved_days, put

# The moment that must come later, and the earlier one.
ORDERED = {
    "crm.service_requests": ("resolved_at", "opened_at"), "crm.programmes": ("left_on", "joined_on"),
    "crm.rm_assignments": ("valid_to", "valid_from"), "crm.relationship_managers": ("left_on", "hired_on"),
    "crm.campaigns": ("ends_on", "starts_on"),
}  # fmt: skip


def rm_who_left(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Assignments in force of managers who have left the bank."""
    managers = case.beside("relationship_managers")
    gone = sorted(managers.loc[managers["left_on"] != "", "rm_id"])
    if not gone:
        case.refuse("no relationship manager has left")
    hit = case.places(rows, (rows["valid_to"] == "") & ~rows["rm_id"].isin(gone))
    return put(rows, hit, "rm_id", case.random.choice(np.array(gone, dtype=object), hit.size))


def two_primaries(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """A second primary manager for the same time."""
    again = rows.iloc[case.places(rows, (rows["valid_to"] == "") & (rows["assignment_role"] == "primary"))]
    others = rows["rm_id"].map(lambda rm: min(set(rows["rm_id"]) - {rm}, default=rm)).iloc[again.index]
    return pd.concat([rows, again.assign(rm_id=others)], ignore_index=True)


def scale_reversed(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """The best answer as the worst, by the scale of each question."""
    scores, low, high = (pd.to_numeric(rows[name], errors="coerce") for name in ("score", "scale_min", "scale_max"))
    turned = low + high - scores
    hit = case.places(rows, turned.notna() & (turned != scores))
    return put(rows, hit, "score", [f"{value:g}" for value in turned.iloc[hit]])


def out_of_range(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    hit = case.places(rows, rows["scale_max"].str.match(r"^\d+$") & (rows["score"] != ""))
    return put(rows, hit, "score", [str(int(text) + 5) for text in rows["scale_max"].iloc[hit]])


def control_group_contacted(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Members of the control group with the time of a contact, another member's or the campaign's day."""
    hit = case.places(rows, (rows["is_control"] == "true") & (rows["contacted_at"] == ""))
    known = sorted(set(rows["contacted_at"]) - {""}) or [f"{case.today}T02:00:00Z"]
    return put(rows, hit, "contacted_at", case.random.choice(np.array(known, dtype=object), hit.size))


def contacts_of_one_manager(rows: pd.DataFrame, case: Case) -> pd.Series:
    managers = sorted(set(rows["rm_id"])) or case.refuse("it has no rows")
    return rows["rm_id"] == case.random.choice(managers)


def resolved_at_once(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    hit = case.places(rows, rows["resolved_at"] != rows["opened_at"])
    return put(rows, hit, "resolved_at", rows["opened_at"].iloc[hit])


def all_converted(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Everybody who was contacted bought a day later."""
    hit = case.places(rows, (rows["contacted_at"] != "") & (rows["converted_at"] == ""))
    return put(rows, hit, "converted_at", moved_days(rows["contacted_at"].iloc[hit], 1))


ASSIGNMENTS, MANAGERS, CONTACTS = ("crm.rm_assignments",), ("crm.relationship_managers",), ("crm.contacts",)
PROGRAMMES, REQUESTS, SURVEYS = ("crm.programmes",), ("crm.service_requests",), ("crm.surveys",)
CAMPAIGNS, MEMBERS = ("crm.campaigns",), ("crm.campaign_members",)
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("all_customers_on_one_rm", ASSIGNMENTS, "Every customer has the same relationship manager",
         "所有客户归于同一客户经理", "both", "block", all_equal("rm_id", min), **ALL),
    Kind("rm_who_left", ASSIGNMENTS, "Customers of a manager who has left", "客户仍归于已离职的客户经理", "both",
         "warn", rm_who_left),
    Kind("unknown_rm", ("crm.rm_assignments", "crm.contacts"), "A relationship manager who does not exist",
         "客户经理编号不存在", "both", "quarantine", edit("rm_id", "R99999")),
    Kind("two_primaries", ASSIGNMENTS, "Two primary managers at one time", "同一客户同时有两名主办客户经理", "both",
         "warn", two_primaries),
    Kind("assignments_ended", ASSIGNMENTS, "Every assignment has ended", "所有分配关系均已终止", "source", "block",
         edit("valid_to", lambda texts, case: case.today, lambda rows, case: rows["valid_to"] == ""), **ALL),
    Kind("ends_before_it_begins", tuple(ORDERED), "The end before the beginning", "结束早于开始", "both",
         "quarantine", after(ORDERED, -2)),
    Kind("all_managers_left", MANAGERS, "Every relationship manager has left", "所有客户经理均已离职", "source",
         "block", edit("left_on", lambda texts, case: case.today, lambda rows, case: rows["left_on"] == ""), **ALL),
    Kind("managers_vanish", MANAGERS, "A manager's row is left out, the customers' rows not",
         "客户经理记录消失而客户仍在其名下", "both", "block", drop()),
    Kind("contacts_of_one_rm_missing", CONTACTS, "All contacts of one manager are left out",
         "缺少某客户经理的全部联系记录", "source", "warn", drop(contacts_of_one_manager), **ALL),
    Kind("contacts_twice_under_new_ids", CONTACTS, "Contacts a second time under new ids", "同一联系以新编号重复",
         "source", "warn", repeat("contact_id", new_ids)),
    Kind("durations_in_seconds", CONTACTS, "All durations in seconds where minutes are agreed", "时长单位误为秒",
         "source", "block", scale("duration_minutes", 60), **ALL),
    Kind("used_above_entitled", PROGRAMMES, "More used than the customer is entitled to", "已用权益超过应享权益",
         "both", "warn", edit("used_units", lambda texts, case: [str(int(text) + 1000) for text in texts])),
    Kind("request_closed_before_opened", REQUESTS, "A request resolved before it was opened", "服务请求关闭早于开立",
         "both", "quarantine", after(ORDERED, -2)),
    Kind("no_complaints", REQUESTS, "No request is a complaint", "所有请求均非投诉", "source", "block",
         edit("is_complaint", "false"), **ALL),
    Kind("all_resolved_at_once", REQUESTS, "Every request resolved when it was opened", "所有请求开立即关闭",
         "source", "block", resolved_at_once, **ALL),
    Kind("reopened_before_resolved", REQUESTS, "Reopened before it was resolved", "重开早于关闭", "both",
         "quarantine", after({"crm.service_requests": ("reopened_at", "opened_at")}, -1)),
    Kind("satisfaction_all_best", REQUESTS, "Every customer is fully satisfied", "满意度全部为最高分", "source",
         "block", all_equal("satisfaction_score", lambda texts: max(texts, key=float)), **ALL),
    Kind("survey_scale_reversed", SURVEYS, "All scores turned round: best is worst", "评分量表方向颠倒", "source",
         "warn", scale_reversed, **ALL),
    Kind("survey_score_out_of_range", SURVEYS, "A score beyond its scale", "评分超出量表范围", "both", "quarantine",
         out_of_range),
    Kind("survey_answered_before_sent", SURVEYS, "Answered before it was sent", "答复早于发送", "both", "quarantine",
         after({"crm.surveys": ("answered_at", "sent_at")}, -3)),
    Kind("survey_scores_all_equal", SURVEYS, "Every score is the lowest that was given", "评分全部相同", "source",
         "block", all_equal("score", min), **ALL),
    Kind("control_group_contacted", MEMBERS, "Members of the control group were contacted", "对照组客户被联系",
         "both", "warn", control_group_contacted),
    Kind("control_group_lost", MEMBERS, "No member is in the control group", "对照组标志全部丢失", "source", "block",
         edit("is_control", "false"), **ALL),
    Kind("responded_before_contacted", MEMBERS, "A response before the contact", "响应早于联系", "both", "quarantine",
         after({"crm.campaign_members": ("responded_at", "contacted_at")}, -2)),
    Kind("all_converted", MEMBERS, "Every member who was contacted has converted", "所有被联系客户均成交", "source",
         "block", all_converted, **ALL),
    Kind("unknown_campaign", MEMBERS, "Members of a campaign that does not exist", "活动编号不存在", "both",
         "quarantine", edit("campaign_id", "G99999")),
    Kind("costs_all_nought", CAMPAIGNS, "Every campaign cost nothing", "活动费用全部为零", "source", "block",
         scale("cost_amount", 0), **ALL),
    Kind("channel_unknown", ("crm.contacts", "crm.service_requests", "crm.campaigns"),
         "A channel that does not exist", "渠道代码不存在", "both", "quarantine",
         edit("channel", "fax", lambda rows, case: ~is_("channel", "fax")(rows, case))),
)
