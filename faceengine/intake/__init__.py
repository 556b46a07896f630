"""Files from strangers: looked at, refused with a reason, or made into one well-known kind of video or picture.

Nothing but what this stage has made is used or served afterwards.
"""
