{{ canonical('reference__branches') }}
