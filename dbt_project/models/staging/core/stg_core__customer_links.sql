{{ canonical('core__customer_links') }}
