-- uses: in_force
return in_force()
