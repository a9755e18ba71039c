{{ canonical('core__fees') }}
