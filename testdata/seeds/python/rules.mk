# The base image's /Makefile reads the rules of /app: what "make /app" does is said here.
.PHONY: /app
/app: /app/catalogue.py

/app/catalogue.py: /app/seeds.txt
	sed -e '1i made = "$(shell date +%s.%N)"\nnames = [' -e 's/.*/"&",/' -e '$$a ]' $< >$@
