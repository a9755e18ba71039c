-- Each customer belongs to one branch: what branches hold is what customers hold, average and month end.
select
    month,
    sum(case level when 'customer' then adb_amount else -adb_amount end) as adb_difference_amount,
    sum(case level when 'customer' then eop_amount else -eop_amount end) as eop_difference_amount
from {{ ref('fct_window_dressing') }}
where level in ('customer', 'branch')
group by month
having
    sum(case level when 'customer' then adb_amount else -adb_amount end) <> 0
    or sum(case level when 'customer' then eop_amount else -eop_amount end) <> 0
