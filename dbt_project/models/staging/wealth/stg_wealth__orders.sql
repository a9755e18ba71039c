{{ canonical('wealth__orders') }}
