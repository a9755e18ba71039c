{{ canonical('core__customers') }}
