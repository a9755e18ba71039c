{{ canonical('finance__unit_costs') }}
