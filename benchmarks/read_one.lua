-- Random seeded items, as the scenario read-one asks for them.
math.randomseed(os.time())
request = function()
  return wrk.format("GET", "/items/" .. math.random(1, 10000))
end
