"""Rules that machines can break, judged from what each of them answered: the pre-flight (``check --hosts``)."""
