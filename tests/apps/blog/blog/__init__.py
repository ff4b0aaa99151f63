"""A blog with a user who has a score, and two views that add one to it."""

import pymysql

# Django asks for mysqlclient, which is written in C; this one speaks the same and needs no compiler.
pymysql.install_as_MySQLdb()
