-- uses: moment in_force
return in_force()
