{{ canonical('finance__ledger_balances') }}
