{{ canonical('reference__market_series') }}
