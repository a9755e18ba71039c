-- The floor: what the core of the marts costs when one person writes it by hand, for this bank and this ladder alone, from the
-- landing files in force. It may know what the models may not: one ladder version without grace and with a lag of one month,
-- every month fed, one belief, no closing taken back. What comes out is compared with the published marts row by row.
create macro to_cents(n, d) as round(n::double / d, 2)::decimal(18, 2)
    + case when n >= (round(n::double / d, 2)::decimal(18, 2) + 0.005) * d then 0.01
        when n < (round(n::double / d, 2)::decimal(18, 2) - 0.005) * d then -0.01 else 0 end;

-- Who there is, what they hold, and at which rates.
create temp table keys as select customer_id, customer_key from {tokens};
create temp table accounts as
select account_id, unnest(max_by({{'customer_id': customer_id, 'product_id': product_id, 'branch_id': branch_id, 'opened_on': opened_on,
    'closed_on': closed_on}}, business_date))
from {core__accounts} where opened_on <= {as_of} group by account_id;
create temp table products as
select product_id, unnest(max_by({{'family': product_family, 'counts': counts_in_aum, 'term_days': term_days, 'of_currency': currency_code}}, business_date))
from {wealth__products} group by product_id;
create temp table rates as
select currency_code, rate_date as rate_from, lead(rate_date, 1, date '9999-12-31') over (partition by currency_code order by rate_date) as rate_to,
    cny_per_unit::decimal(14, 8) as rate
from {reference__fx_rates} where currency_code <> 'CNY' and rate_date <= {as_of}
union all select 'CNY', date '0001-01-01', date '9999-12-31', 1;
create temp table holders as
with delivered as (
    select account_id, business_date, dense_rank() over (partition by account_id order by business_date) as delivery, customer_id, share_fraction
    from {core__account_holders} where business_date <= {as_of}
),
runs as (
    select *, delivery - row_number() over (partition by account_id, customer_id, share_fraction order by delivery) as run from delivered
),
said as (
    select account_id, customer_id, share_fraction, min(business_date) as first_date, min(delivery) as first, max(delivery) as last
    from runs group by account_id, customer_id, share_fraction, run
)
select accounts.account_id, coalesce(said.customer_id, accounts.customer_id) as customer_id, coalesce(share_fraction, 1)::decimal(9, 6) as share,
    case when first > 1 then first_date else date '0001-01-01' end as held_from, coalesce(next.business_date, date '9999-12-31') as held_to
from accounts left join said using (account_id)
left join (select distinct account_id, delivery, business_date from delivered) as next
    on next.account_id = said.account_id and next.delivery = said.last + 1
where coalesce(share_fraction, 1) > 0;

-- Relationships, less the time in which one record is part of another.
create temp table spells as
with said as (
    select customer_id, onboarded_on as spell_from, max_by(closed_on, business_date) filter (closed_on <= {as_of}) as ended_on,
        min(received_at) as opening_known_at, min(received_at) filter (closed_on <= {as_of}) as closing_known_at
    from {core__customers} join {batches} as batches using (business_date)
    where source_table = 'core__customers' and customer_type = 'personal' and onboarded_on <= {as_of} group by all
)
select customer_id, row_number() over by_customer as spell_number, spell_from, opening_known_at,
    coalesce(ended_on, lead(spell_from) over by_customer, date '9999-12-31') as spell_to,
    coalesce(closing_known_at, lead(opening_known_at) over by_customer) as closing_known_at
from said window by_customer as (partition by customer_id order by spell_from);
create temp table one_person as
with recursive links as (
    select customer_id, linked_customer_id, valid_from, coalesce(max_by({{'d': valid_to}}, business_date).d, date '9999-12-31') as valid_to,
        min(received_at) as known_at
    from {core__customer_links} join {batches} as batches using (business_date)
    where source_table = 'core__customer_links' and link_type = 'same_person' and valid_from <= {as_of} group by all
),
directed as (
    select customer_id, linked_customer_id as other_id, valid_from, valid_to, known_at from links
    union select linked_customer_id, customer_id, valid_from, valid_to, known_at from links
),
reached as (
    from directed
    union
    select r.customer_id, d.other_id, greatest(r.valid_from, d.valid_from), least(r.valid_to, d.valid_to), greatest(r.known_at, d.known_at)
    from reached as r join directed as d on r.other_id = d.customer_id and r.customer_id <> d.other_id
        and r.valid_from < d.valid_to and r.valid_to > d.valid_from
)
from reached where customer_id <> other_id;
create temp table merged as
with since as (select customer_id, min(spell_from) as onboarded_on from spells group by all)
select customer_id, min(valid_from) as merged_from, max(valid_to) as merged_to, min(known_at) as merged_known_at
from one_person join since as own using (customer_id) join since as others on others.customer_id = other_id
where (others.onboarded_on, other_id) < (own.onboarded_on, one_person.customer_id) group by customer_id;
create temp table tier_spells as
select customer_id, spell_number, spell_from, opening_known_at, case when spell_number > 1 then 'returned' else 'account_opened' end as opening_reason,
    coalesce(least(merged_from, spell_to), spell_to) as spell_to, case when merged_from < spell_to then merged_known_at else closing_known_at end as closing_known_at,
    case when merged_from < spell_to then 'merged' else 'relationship_closed' end as closing_reason
from spells left join merged using (customer_id) where merged_from is null or spell_from < merged_from;

-- Amounts: of an account until its next balance, of a holding until the next delivery of holdings.
create temp table observed as
select account_id as position_id, true as is_account, balance_date as day, balance_basis = 'end_of_day' as is_day_end,
    greatest(balance_amount, 0)::decimal(18, 2) as amount, balances.currency_code, product_id, family, customer_id, closed_on, counts, received_at
from {core__balances} as balances join {batches} as batches using (business_date) join accounts using (account_id) join products using (product_id)
where source_table = 'core__balances' and balance_date <= {as_of}
union all
select product_id, false, holding_date, balance_basis = 'end_of_day', market_value_amount, holdings.currency_code, product_id, family, customer_id, null, counts, received_at
from {wealth__holdings} as holdings join {batches} as batches using (business_date) join products using (product_id)
where source_table = 'wealth__holdings' and holding_date <= {as_of};
create temp table months as
select month, least(last_day(month), {as_of}) as month_end, day(last_day(month)) = day(month_end) as is_complete, day(month_end) as days, known_at
from (
    select date_trunc('month', day)::date as month, max(received_at) as known_at from observed group by all
);
create temp table stated as select distinct is_account, date_trunc('month', day)::date as month from observed where not is_day_end;
create temp table spans as
with holding_days as (
    select day, lead(day, 1, {as_of} + 1) over (order by day) as next_day from (select distinct day from observed where not is_account and is_day_end)
),
lasting as (
    select position_id, is_account, amount, currency_code, product_id, family, customer_id, day as span_from,
        least(lead(day, 1, {as_of} + 1) over (partition by position_id order by day), coalesce(closed_on, date '9999-12-31')) as span_to
    from observed where is_account and is_day_end and counts
    union all
    select position_id, false, amount, currency_code, product_id, family, customer_id, day, next_day
    from observed join holding_days using (day) where not is_account and is_day_end and counts
)
from lasting where span_to > span_from;
create temp table day_ends as
select position_id, is_account, customer_id, family, month, month_end, (amount * rate)::decimal(20, 6) as amount
from spans join months on month_end >= span_from and month_end < span_to
join rates using (currency_code) where month_end >= rate_from and month_end < rate_to;
create temp table month_spans as
with whole as (
    select position_id, is_account, customer_id, product_id, family, currency_code, amount, span_from, span_to, date_trunc('month', span_from)::date as month
    from spans where date_trunc('month', span_from) = date_trunc('month', span_to - 1)
    union all
    select position_id, is_account, customer_id, product_id, family, currency_code, amount, greatest(span_from, month), least(span_to, month_end + 1), month
    from spans join months on span_from <= month_end and span_to > month
    where date_trunc('month', span_from) <> date_trunc('month', span_to - 1)
),
monthly as (
    from whole anti join stated using (is_account, month)
    union all
    select position_id, is_account, customer_id, product_id, family, currency_code, amount, month, month_end + 1, month
    from observed join months on date_trunc('month', day) = month where not is_day_end and counts
)
select position_id, is_account, customer_id, product_id, family, currency_code, month, span_from, span_to, amount::decimal(20, 6) as amount from monthly where currency_code = 'CNY'
union all
select position_id, is_account, customer_id, product_id, family, currency_code, month, greatest(span_from, rate_from), least(span_to, rate_to), (amount * rate)::decimal(20, 6)
from monthly join rates using (currency_code) where currency_code <> 'CNY' and span_from < rate_to and span_to > rate_from;

-- Shares: nearly every account has one holder for ever.
-- (No product has the id of an account, so that holdings find no holder and keep their customer.)
create temp table shared as select account_id as position_id from holders group by all having count(*) > 1 or min(share) < 1 or max(held_to) < date '9999-12-31';
create temp table family_months as
with days as (
    select coalesce(holders.customer_id, spans.customer_id) as customer_id, family, month, sum(amount * (span_to - span_from))::decimal(38, 12) as amount_days,
        min(span_from) as first_from, max(span_to) as last_to
    from month_spans as spans anti join shared using (position_id) left join holders on position_id = account_id group by all
    union all
    select holders.customer_id, family, month, sum((amount * share)::decimal(26, 12) * (least(span_to, held_to) - greatest(span_from, held_from))),
        min(greatest(span_from, held_from)), max(least(span_to, held_to))
    from month_spans join shared using (position_id) join holders on account_id = position_id and span_from < held_to and span_to > held_from
    group by all
),
ends as (
    select coalesce(holders.customer_id, day_ends.customer_id) as customer_id, family, month,
        sum((amount * coalesce(share, 1::decimal(9, 6)))::decimal(26, 12)) as eop_amount
    from day_ends left join holders on account_id = position_id and month_end >= held_from and month_end < held_to
    group by all
)
select customer_id, family, month, sum(amount_days) as amount_days, (max(last_to) - min(first_from))::bigint as days_observed,
    coalesce(any_value(eop_amount), 0) as eop_amount
from days left join ends using (customer_id, family, month) group by all;
create table fct_customer_aum_monthly as
select customer_key, month, family as product_family, to_cents(amount_days, months.days) as adb_amount, round(eop_amount, 2)::decimal(18, 2) as eop_amount, days_observed
from family_months join months using (month) join keys using (customer_id)
where exists (from spells where spells.customer_id = family_months.customer_id and spell_from <= month_end and spell_to > month);

-- Tiers.
create temp table ladder as
select tier_code, tier_rank, policy_version, threshold_amount::decimal(18, 2) as threshold, least(near_band_share::decimal(9, 6) * threshold, near_band_max_amount)::decimal(18, 2) as near,
    lead(threshold) over by_rank as next_threshold, lead(near) over by_rank as next_near,
    max(threshold) filter (is_private_banking) over () as private_threshold, volatile_to_amount::decimal(18, 2) as volatile_to
from read_csv('{policy}/tier_thresholds.csv') as tiers join read_csv('{policy}/tier_policies.csv') as policies using (policy_id, policy_version) where is_active
window by_rank as (order by tier_rank);
create temp table rated as
with amounts as (
    select customer_id, family, month, amount_days from family_months
    union all
    select one_person.customer_id, family, month, amount_days
    from one_person join family_months on other_id = family_months.customer_id join months using (month)
    where valid_from <= month_end and valid_to > month_end
),
families as (
    select customer_id, month, to_cents(sum(amount_days), any_value(days)) as amount from amounts join months using (month)
    anti join (select customer_id, month from merged join months on merged_from <= month_end and merged_to > month_end) using (customer_id, month)
    group by customer_id, month, family
),
ratings as (select customer_id, month, sum(amount)::decimal(18, 2) as rating_amount from families group by all),
present as (
    select customer_id, month, max(spell_number) as spell_number, bool_or(spell_to > month_end) and is_complete as may_decide,
        not bool_or(is_complete and spell_from <= month and spell_to > month_end) as is_partial_month, known_at
    from tier_spells join months on spell_from <= month_end and spell_to > month group by customer_id, month, is_complete, known_at
)
select present.*, coalesce(rating_amount, 0)::decimal(18, 2) as rating_amount, ladder.* from present left join ratings using (customer_id, month)
join ladder on coalesce(rating_amount, 0) >= threshold and (next_threshold is null or coalesce(rating_amount, 0) < next_threshold);
create table fct_customer_tiers_monthly as
with held as (
    select *, last_value(case when may_decide then tier_rank end ignore nulls) over (partition by customer_id, spell_number order by month) as held_tier_rank
    from rated
)
select customer_key, month, held.policy_version, rating_amount, held.tier_code, held.tier_rank, held.next_threshold - rating_amount as next_tier_gap_amount,
    rating_amount >= held.private_threshold as is_qualified, coalesce(rating_amount >= held.next_threshold - held.next_near, false) as is_near_threshold,
    coalesce(rating_amount < held.threshold + held.near, false) as is_at_risk,
    case when rating_amount < held.private_threshold then null when rating_amount <= held.volatile_to then 'volatile' else 'stable' end as stability_band,
    ladder.tier_code as held_tier_code, held_tier_rank, 0::integer as misses_in_grace, false as is_on_watch, is_partial_month, false as is_feed_missing
from held join keys using (customer_id) left join ladder on held_tier_rank = ladder.tier_rank;
create temp table decisions as
with reviews as (
    select customer_id, spell_number, month, known_at, tier_rank, lag(tier_rank) over (partition by customer_id, spell_number order by month) as before
    from rated where may_decide
    qualify before is distinct from tier_rank
),
said as (
    select customer_id, spell_number, date '0001-01-01' as decided_in, spell_from as decided_for, 1 as last_rank, opening_reason as reason, opening_known_at as known
    from tier_spells where spell_from >= (select min(month) from months)
    union all
    select customer_id, spell_number, month, (month + interval 1 month)::date, tier_rank,
        case when before is null and spell_from < (select min(month) from months) then 'history_begins'
            when tier_rank < before then 'rating_below_threshold' else 'rating_reached_threshold' end, known_at
    from reviews join tier_spells using (customer_id, spell_number)
    where before is not null or tier_rank > 1 or spell_from < (select min(month) from months)
    union all
    select customer_id, spell_number, date '9999-12-31', spell_to, null, closing_reason, closing_known_at
    from tier_spells where spell_to > (select min(month) from months)
)
select *, max(known) over (partition by customer_id order by spell_number, decided_in rows unbounded preceding) as known_at, decided_for >= lead(decided_for) over by_customer as is_overtaken
from said where decided_for <= {as_of} window by_customer as (partition by customer_id order by spell_number, decided_in);
create table fct_customer_tier_history as
with overtaken as (select distinct customer_id from decisions where is_overtaken),
-- The few of whom a decision never took effect are told anew at each moment at which something became known.
moments as (
    select customer_id, known_at as moment, lead(known_at) over (partition by customer_id order by known_at) as next_moment
    from (select distinct customer_id, known_at from decisions semi join overtaken using (customer_id))
),
told as (
    select *, min(decided_for) over (partition by customer_id, moment order by spell_number, decided_in rows between 1 following and unbounded following) as overtaken_on
    from decisions left join moments using (customer_id) where moment is null or known_at <= moment
),
changes as (
    select *, row_number() over by_moment as n, lag(last_rank) over by_moment as previous_rank from told
    where moment is null or overtaken_on is null or decided_for < overtaken_on
    window by_moment as (partition by customer_id, moment order by decided_for, spell_number, decided_in)
),
intervals as (
    select *, lead(decided_for) over by_moment as next_from, lead(known_at) over by_moment as next_known,
        case when last_rank is null then 'exited' when n = 1 then 'opened' when previous_rank is null then 'won_back'
            when last_rank > previous_rank then 'up' else 'down' end as movement
    from changes where (n = 1 and last_rank is not null) or (n > 1 and last_rank is distinct from previous_rank)
    window by_moment as (partition by customer_id, moment order by decided_for)
),
believed as (
    select *, date '9999-12-31' as valid_to, known_at as known_from, coalesce(next_known, timestamp '9999-12-31') as known_to from intervals where moment is null
    union all
    select *, next_from, next_known, timestamp '9999-12-31' from intervals where moment is null and next_from is not null
    union all
    select *, coalesce(next_from, date '9999-12-31'), moment, coalesce(next_moment, timestamp '9999-12-31') from intervals where moment is not null
),
stretches as (
    select *, moment is not null and known_from is not distinct from lag(known_to) over same as goes_on from believed where known_from < known_to
    window same as (partition by customer_id, decided_for, valid_to, last_rank, previous_rank, movement, reason order by known_from)
),
numbered as (
    select *, count(*) filter (not goes_on) over (partition by customer_id, decided_for, valid_to, last_rank, previous_rank, movement, reason order by known_from) as stretch
    from stretches
)
select customer_key, decided_for as valid_from, valid_to, min(known_from) as known_from, max(known_to) as known_to, ladder.tier_code,
    previous.tier_code as previous_tier_code, movement, reason, ladder.policy_version
from numbered join keys using (customer_id) left join ladder on last_rank = ladder.tier_rank left join ladder as previous on previous_rank = previous.tier_rank
group by customer_key, decided_for, valid_to, ladder.tier_code, previous.tier_code, movement, reason, ladder.policy_version, stretch;

-- Money flows.
create table fct_money_flows as
with transactions as (
    select transaction_id, account_id, transaction_date as day, case direction when 'credit' then abs(amount) else -abs(amount) end as amount, currency_code,
        transaction_type, counterparty_type, is_own_name, reversal_of
    from {core__transactions} where transaction_date <= {as_of}
),
kinds as (
    from transactions where reversal_of is null
    union all
    select t.transaction_id, t.account_id, t.day, t.amount, t.currency_code, o.transaction_type, o.counterparty_type, o.is_own_name, t.reversal_of
    from transactions as t join transactions as o on t.reversal_of = o.transaction_id
),
classes as (
    select k.*, flow_class, coalesce(flow_use, 'other') as flow_use
    from (select distinct transaction_type, counterparty_type, is_own_name from kinds) as k
    join read_csv('{policy}/transaction_classes.csv', types = {{'is_own_name': 'boolean', 'counterparty_type': 'varchar'}}) as p
        on k.transaction_type = p.transaction_type and coalesce(k.counterparty_type = p.counterparty_type, p.counterparty_type is null)
            and coalesce(k.is_own_name = p.is_own_name, p.is_own_name is null)
    qualify row_number() over (partition by k.transaction_type, k.counterparty_type, k.is_own_name
        order by p.counterparty_type is not null desc, p.is_own_name is not null desc) = 1
),
flows as (
    select holders.customer_id, date_trunc('month', day)::date as month, flow_class, flow_use, ((amount * rate)::decimal(20, 6) * share)::decimal(26, 12) as held
    from kinds join accounts using (account_id) join products using (product_id) join rates using (currency_code)
    join classes on kinds.transaction_type = classes.transaction_type and kinds.counterparty_type is not distinct from classes.counterparty_type
        and kinds.is_own_name is not distinct from classes.is_own_name
    join holders using (account_id)
    where counts and day >= rate_from and day < rate_to and day >= held_from and day < held_to
)
select customer_key, month, flow_class, flow_use, count(*) as transactions, round(coalesce(sum(held) filter (held > 0), 0), 2)::decimal(18, 2) as inflow_amount,
    round(coalesce(-sum(held) filter (held < 0), 0), 2)::decimal(18, 2) as outflow_amount, (inflow_amount - outflow_amount)::decimal(18, 2) as net_flow_amount
from flows join keys using (customer_id) semi join spells using (customer_id) group by customer_key, month, flow_class, flow_use;

-- Contributions: an interest line has six places and is of a customer, product, branch and currency. Moves between branches are not
-- followed: they cut a line in two, which may round a cent otherwise.
create macro to_micros(n, d) as round(n::double / d, 6)::decimal(18, 6)
    + case when n >= (round(n::double / d, 6)::decimal(18, 6) + 0.0000005) * d then 0.000001
        when n < (round(n::double / d, 6)::decimal(18, 6) - 0.0000005) * d then -0.000001 else 0 end;
create macro number_of(name) as (select value::decimal(18, 6) from read_csv('{policy}/policy_parameters.csv') where parameter = name);
create temp table prices as
select product_family, tenor_days, currency_code, rate::decimal(9, 6) as price, effective_on as price_from, price_from = min(price_from) over of_term as is_first,
    lead(price_from, 1, date '9999-12-31') over (partition by product_family, tenor_days, currency_code order by price_from) as price_to
from {finance__ftp_rates} where business_date = (select max(business_date) from {finance__ftp_rates}) and effective_on <= {as_of}
window of_term as (partition by product_family, tenor_days, currency_code);
create temp table deposits as
with margins as (
    select product_id, price, rate::decimal(9, 6) as rate, greatest(price_from, effective_from) as margin_from, price_to as margin_to
    from read_csv('{policy}/deposit_rates.csv') join products using (product_id)
    join prices on product_family = family and tenor_days = coalesce(term_days, 0) and prices.currency_code = of_currency
),
money as (
    select position_id, product_id, spans.currency_code, month, 1::decimal(9, 6) as share, price, rate, holders.customer_id,
        sum(amount * (least(span_to, margin_to) - greatest(span_from, margin_from)))::decimal(24, 6) as amount_days
    from month_spans as spans join margins using (product_id) join holders on account_id = position_id anti join shared using (position_id)
    where span_from < margin_to and span_to > margin_from group by all
    union all
    select position_id, product_id, spans.currency_code, month, share, price, rate, holders.customer_id,
        sum(amount * (least(span_to, margin_to, held_to) - greatest(span_from, margin_from, held_from)))::decimal(24, 6)
    from month_spans as spans join margins using (product_id) join holders on account_id = position_id semi join shared using (position_id)
    where span_from < least(margin_to, held_to) and span_to > greatest(margin_from, held_from) group by all
),
lines as (
    select money.customer_id, month, to_micros(sum(amount_days * price * share), number_of('interest_day_count')::integer)
        - to_micros(sum(amount_days * rate * share), number_of('interest_day_count')::integer) as amount
    from money join accounts on account_id = position_id group by money.customer_id, month, money.product_id, branch_id, currency_code
)
select customer_id, month, sum(amount)::decimal(18, 6) as deposits from lines group by all;
create temp table loans as
with delivered as (
    select *, loan_date = min(loan_date) over (partition by loan_id) as is_new from {core__loans} where loan_date <= {as_of}
),
dated as (
    select *, case when is_new then least(loan_date, greatest(opened_on, date_trunc('month', loan_date)::date)) else loan_date end as stands_from,
        least(next_date, coalesce(matures_on, date '9999-12-31')) as stands_to
    from delivered join (
        select loan_date, lead(loan_date, 1, {as_of} + 1) over (order by loan_date) as next_date from (select distinct loan_date from delivered)
    ) using (loan_date)
),
spans as (
    select loan_id, customer_id, month, (outstanding_amount * rates.rate)::decimal(20, 6) as amount,
        case when abs(interest_rate) <= number_of('interest_rate_highest') then interest_rate end::decimal(9, 6) as interest_rate, price,
        probability_of_default::decimal(9, 6) * loss_given_default::decimal(9, 6) as loss_rate,
        greatest(stands_from, month, rate_from) as span_from, least(stands_to, month_end + 1, rate_to) as span_to, month_end
    from dated join months on stands_from <= month_end and stands_to > month join rates using (currency_code) join products using (product_id)
    join prices on product_family = family and tenor_days = term_days and prices.currency_code = dated.currency_code
        and (opened_on >= price_from or is_first) and opened_on < price_to
    where span_to > span_from
),
lines as (
    select customer_id, month, to_micros(sum(amount * interest_rate * (span_to - span_from)), number_of('interest_day_count')::integer)
            - to_micros(sum(amount * price * (span_to - span_from)), number_of('interest_day_count')::integer) as amount,
        to_micros(coalesce(sum(amount * loss_rate) filter (span_to > month_end), 0), 12) as loss
    from spans group by customer_id, month, loan_id
)
select customer_id, month, sum(amount)::decimal(18, 6) as loans, sum(loss)::decimal(18, 6) as loss from lines group by all;
create temp table fees as
select customer_id, date_trunc('month', fee_date)::date as month, sum((charged_amount * rate)::decimal(20, 6)) as fees,
    sum(((list_amount - charged_amount) * rate)::decimal(20, 6)) as waived
from {core__fees} join rates using (currency_code) where fee_date <= {as_of} and fee_date >= rate_from and fee_date < rate_to group by all;
create temp table costs as
with work as (
    select customer_id, date_trunc('month', transaction_date)::date as month, 'transaction' as activity, channel, count(*) as units
    from {core__transactions} join accounts using (account_id) where transaction_date <= {as_of} group by all
    union all
    select customer_id, date_trunc('month', contacted_at)::date, 'contact', channel, count(*) from {crm__contacts} where contacted_at < {as_of} + 1 group by all
    union all
    select customer_id, month, 'account_maintenance', 'system', count(*)
    from accounts join months on opened_on <= month_end and coalesce(closed_on, date '9999-12-31') > month group by all
)
select customer_id, month, sum(units * full_unit_cost) as full_cost, sum(units * avoidable_unit_cost) as avoidable_cost
from work join {finance__unit_costs} as unit_costs using (activity, channel, month)
where business_date = (select max(business_date) from {finance__unit_costs}) group by all;
create temp table perks as
select customer_id, month, sum(cost_amount) as perks from {crm__programmes} join months on joined_on <= month_end and (left_on is null or left_on > month)
where business_date = (select max(business_date) from {crm__programmes}) group by all;
create table fct_customer_contributions as
with present as (
    select customer_id, month, not bool_or(is_complete and spell_from <= month and spell_to > month_end) as is_partial_month
    from spells join months on spell_from <= month_end and spell_to > month group by all
),
parts as (
    select customer_key, month, coalesce(deposits, 0)::decimal(18, 2) as net_interest_deposits_amount, coalesce(loans, 0)::decimal(18, 2) as net_interest_loans_amount,
        coalesce(fees, 0)::decimal(18, 2) as fee_income_amount, coalesce(loss, 0)::decimal(18, 2) as expected_loss_amount,
        coalesce(full_cost, 0)::decimal(18, 2) as cost_to_serve_full_amount, coalesce(avoidable_cost, 0)::decimal(18, 2) as cost_to_serve_avoidable_amount,
        coalesce(perks, 0)::decimal(18, 2) as perks_amount, coalesce(waived, 0)::decimal(18, 2) + perks_amount as concessions, is_partial_month,
        net_interest_deposits_amount + net_interest_loans_amount + fee_income_amount - expected_loss_amount - perks_amount as before_costs,
        before_costs - cost_to_serve_full_amount as contribution_full_amount, before_costs - cost_to_serve_avoidable_amount as contribution_avoidable_amount
    from present join keys using (customer_id) left join deposits using (customer_id, month) left join loans using (customer_id, month)
    left join fees using (customer_id, month) left join costs using (customer_id, month) left join perks using (customer_id, month)
)
select * exclude (concessions, before_costs), rank() over (partition by month order by contribution_avoidable_amount desc) as contribution_rank,
    case when contribution_avoidable_amount > 0 then ((2000000 * (concessions * 100)::hugeint + (contribution_avoidable_amount * 100)::hugeint)
        // (2 * (contribution_avoidable_amount * 100)::hugeint))::decimal(18, 0) * 0.000001::decimal(7, 6) end::decimal(18, 6) as over_service_ratio,
    case when contribution_avoidable_amount <= 0 then concessions > 0
        else concessions > number_of('over_service_max_ratio') * contribution_avoidable_amount::decimal(24, 2) end as is_over_served
from parts;

create table dim_customers as select customer_key from keys semi join spells using (customer_id);
