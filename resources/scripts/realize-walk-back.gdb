# The same walk backwards, from where realize-walk ends to where it began:
#   ringscope debug realize --batch --echo -x realize-walk -x realize-walk-back
tbreak object_property_set_bool
reverse-continue
reverse-step
reverse-next
reverse-next
disable
reverse-continue
