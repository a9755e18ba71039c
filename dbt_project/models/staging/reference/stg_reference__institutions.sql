{{ canonical('reference__institutions') }}
