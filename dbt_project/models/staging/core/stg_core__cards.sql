{{ canonical('core__cards') }}
