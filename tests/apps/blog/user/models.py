"""Who writes in the blog."""

from django.db import models


class UserProfile(models.Model):
    """A user and the score that every request adds to."""

    username = models.CharField("user name", max_length=11, primary_key=True)
    nickname = models.CharField("nickname", max_length=30)
    email = models.EmailField("email")
    sign = models.CharField("signature", max_length=50)
    info = models.CharField("about", max_length=150)
    score = models.IntegerField("score", null=True, default=0)

    class Meta:
        """Its table has the name that the insert statement uses."""

        db_table = "user_profile"

    def __str__(self) -> str:
        return self.username
