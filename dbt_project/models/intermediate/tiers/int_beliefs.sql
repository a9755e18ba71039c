-- What we believed and when, about months that were closed: one belief until a correction of such a month is received.
select
    belief_number,
    known_from,
    known_to,
    known_to = cast({{ end_of_time() }} as timestamp) as is_present
from {{ beliefs('beliefs') }}
