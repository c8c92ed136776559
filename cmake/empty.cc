// An archive needs one member.
