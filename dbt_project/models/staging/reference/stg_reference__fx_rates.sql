{{ canonical('reference__fx_rates') }}
