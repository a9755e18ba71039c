{#- Join of the branch at which a holder (`account:` or `customer:` with its id) was kept on a day, if it ever moved: the branch is
    then coalesce(moves.branch_id, the latest one). -#}
{% macro branch_moves_of(holder_id, day) -%}
left join {{ ref('int_branch_moves') }} as moves
        on
            {{ holder_id }} = moves.holder_id
            and {{ day }} >= moves.valid_from
            and {{ day }} < moves.valid_to
{%- endmacro %}
