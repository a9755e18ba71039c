{{ canonical('wealth__holdings') }}
