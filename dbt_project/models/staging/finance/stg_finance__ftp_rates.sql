{{ canonical('finance__ftp_rates') }}
