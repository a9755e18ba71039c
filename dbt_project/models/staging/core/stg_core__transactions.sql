{{ canonical('core__transactions') }}
