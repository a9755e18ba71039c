{{ canonical('core__balances') }}
