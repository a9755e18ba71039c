-- Two files, one list. A call that names a complaint is how that complaint came in, not a second request: it adds its
-- priority. Any other call with an id is a request that is no complaint, by a caller nobody named; hung up before an
-- agent answered (HANG), it is never acknowledged. Calls without an id say nothing, PHANTOM calls are none: left out.
with calls as (
    select
        calls.*,
        calls."Complaint ID" as complaint_id, -- noqa: RF05
        {{ to_utc("concat(calls.\"Date received\", ' ', calls.ser_start)", 'Europe/Prague') }} as started_at,
        {{ to_utc("concat(calls.\"Date received\", ' ', calls.ser_exit)", 'Europe/Prague') }} as ended_at
    from {{ landed('crm', 'calls') }} as calls
    where calls."Date received" <= {{ as_of() }} -- noqa: RF05
)

select
    complaints.complaint_id as request_id,
    'C' || lpad(complaints.client_id, 8, '0') as customer_id,
    cast(complaints.date_received as timestamp) as opened_at,
    -- Sent on before it was received (192 complaints): the wait is unknown, not negative. Sent on later: not known yet.
    case when date_sent_to_company between date_received and {{ as_of() }} then cast(date_sent_to_company as timestamp) end as acknowledged_at,
    null as resolved_at,
    null as reopened_at,
    complaints.product as category,
    lower(complaints.submitted_via) as channel,
    calls.priority,
    true as is_complaint,
    null as handler_stage,
    complaints.company_response_to_consumer as resolution,
    null as satisfaction_score,
    complaints.received_at
from {{ landed('crm', 'complaints') }} as complaints
left join calls on complaints.complaint_id = calls.complaint_id
where complaints.date_received <= {{ as_of() }}
union all
select
    'CALL-' || call_id as request_id,
    null as customer_id,
    started_at as opened_at,
    case when outcome = 'AGENT' then started_at end as acknowledged_at,
    case when outcome = 'AGENT' then ended_at end as resolved_at,
    null as reopened_at,
    type as category,
    'phone' as channel,
    priority,
    false as is_complaint,
    'front' as handler_stage,
    outcome as resolution,
    null as satisfaction_score,
    received_at
from calls
where complaint_id is null and call_id is not null and outcome <> 'PHANTOM'
