# SPDX-License-Identifier: Apache-2.0
"""The routes of the ledger, for the walk over all routes."""
import stub_handler as stub
from effect_call import effect


class EffectRoutes:
    def effects(self):
        """Two effects, both in doubt: one is asked about, one is settled by hand; a third one is confirmed."""
        def pays(peer, call):
            for name, path in (("asked", "/lost"), ("told", "/lost"), ("fine", "/paid")):
                effect(self.weir, "bank", call.header("weir-token"), path=path,
                       headers={"Weir-Effect": name, "Weir-Step": "one", "ce-id": path})
            return stub.status(500)(peer, call)
        self.handler.script("/lost", stub.close())
        self.handler.script("/paid", stub.status(201))
        self.handler.script("payer", pays)
        self.publish("payer", "pays")
        self.settled("payer", "pays")
        listed = self.ask("GET", "/v1/effects?flow=pays&dependency=bank&limit=2", 200)
        self.ask("GET", f"/v1/effects?cursor={listed['cursor']}", 200)
        self.ask("GET", "/v1/effects?state=lost", 400)
        ids = {one["name"]: one["effect"] for one in self.ask("GET", "/v1/effects", 200)["effects"]}
        self.ask("GET", f"/v1/effects/{ids['fine']}", 200)
        self.ask("GET", "/v1/effects/e99", 404)
        self.ask("GET", "/v1/events/payer/explain", 200)
        self.handler.script(None, stub.status(404))
        self.ask("POST", f"/v1/effects/{ids['asked']}/reconcile", 200, {"reason": "asked"})
        self.ask("POST", f"/v1/effects/{ids['asked']}/reconcile", 409, {"reason": "asked"})
        self.ask("POST", f"/v1/effects/{ids['told']}/resolve", 422, {"as": "confirmed"})
        self.ask("POST", f"/v1/effects/{ids['told']}/resolve", 200, {"as": "confirmed", "reason": "seen"})
