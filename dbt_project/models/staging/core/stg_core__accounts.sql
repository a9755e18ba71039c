{{ canonical('core__accounts') }}
