"""What Airflow runs: parameters in, one call out. The only modules that import Airflow."""
