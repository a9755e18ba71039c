{{ canonical('wealth__products') }}
