{{ canonical('core__loans') }}
