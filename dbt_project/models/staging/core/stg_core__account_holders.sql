{{ canonical('core__account_holders') }}
