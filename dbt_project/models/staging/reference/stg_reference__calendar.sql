{{ canonical('reference__calendar') }}
