-- Months ahead of a score, 0 is the score's own: further than any horizon of policy.
with digits as (
    select cast(digit as integer) as digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as ten (digit)
),

months_ahead as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit as h
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
)

select * from months_ahead
