{{ canonical('wealth__navs') }}
