// SPDX-License-Identifier: Apache-2.0
// Handlers call a dependency through Weir, so that what they do happens once: its guardrails hold,
// the intent is durable before the first byte leaves, and the result before the handler hears it.
//
// The gateway never retries, and its admission never waits: whoever is refused comes again. What it
// promises holds for traffic that crosses it, and as far as the dependency honours the key or can
// be asked about it. Safe methods (GET, HEAD, OPTIONS) without a key of their own have no entry in
// the ledger: they are admitted and passed on.
//
// An answer is kept whole, so that it can be said again; that is why it is read whole before the
// handler gets it. The body of one that is larger than kAnswerBytesMax is left out: what its status
// says of the effect holds without it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "base/rng.h"
#include "effects/reconcile.h"
#include "effects/wired.h"
#include "model/effect.h"
#include "policy/running_attempts.h"
#include "ports/store.h"

namespace weir::effects {

inline constexpr std::size_t kAnswerBytesMax = 1024 * 1024;
inline constexpr std::size_t kKeyBytesMax = 255;

struct EffectRequest {
  std::string dependency;
  std::string method;
  std::string target;  // origin form, below the dependency's URL; without dot segments
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  std::string token;       // Weir-Token
  std::string caller_key;  // Idempotency-Key as sent; empty = Weir's own
  std::string step;        // Weir-Step
  std::string name;        // Weir-Effect; empty = "METHOD target"
};

// What the handler is told.
struct EffectReply {
  std::optional<Error> error;  // Weir's own word, instead of an answer
  EffectAnswer answer;
  std::string_view standing;  // of the effect: "confirmed", "replayed", ...; empty = no entry
  Duration retry_after{};     // with an error; 0 = none
};

class Gateway {
 public:
  Gateway(ports::Store& store, async::Clock& clock, policy::RunningAttempts& running, Wired wired,
          std::uint64_t seed);

  // What the last process had sent is in doubt from now on. Before the first call.
  async::Task<Result<>> start();
  async::Task<EffectReply> call(EffectRequest request);

  // An effect that a person may settle now. Errors: unknown_effect, wrong_state, conflict (it is
  // being sent), those of the store.
  async::Task<Result<Effect>> in_doubt(EffectId id);
  // A person says what became of it: confirmed or failedNoEffect. Of `effect` as it was read, and
  // of no other version: whoever agreed has seen that one. Audited in the same commit, which
  // `consent` goes into, too. Errors: those of in_doubt(); conflict (it changed since).
  async::Task<Result<Effect>> resolve(Effect effect, EffectState as, std::string actor,
                                      std::string reason, ports::Consent consent = {});
  // Asks the dependency as its policy says, and writes what it said. Errors: those of resolve();
  // wrong_state if it cannot be asked, or has no clear answer.
  async::Task<Result<Effect>> reconcile(EffectId id, std::string actor, std::string reason);
  // Forgets what is settled and older than the ledger's window; true if there may be more.
  async::Task<bool> forget_step();

  struct Counts {
    std::uint64_t confirmed = 0;
    std::uint64_t replayed = 0;
    std::uint64_t failed = 0;  // certainly without an effect
    std::uint64_t in_doubt = 0;
    std::uint64_t refused = 0;  // by a guardrail
  };
  const std::map<std::string, Counts>& counts() const { return counts_; }  // by dependency

 private:
  struct Call;
  Result<std::shared_ptr<Call>> take(EffectRequest request);
  async::Task<EffectReply> pass_on(std::shared_ptr<Call> call);
  async::Task<EffectReply> once(std::shared_ptr<Call> call);
  async::Task<EffectReply> send_once(std::shared_ptr<Call> call, bool repeat);
  async::Task<EffectReply> ask_first(std::shared_ptr<Call> call);
  async::Task<EffectReply> nothing_sent(std::shared_ptr<Call> call, bool repeat);
  async::Task<EffectReply> settle(std::shared_ptr<Call> call, Outcome outcome, bool repeat);
  std::optional<EffectReply> admit(Call& call, policy::Work work, policy::Permit& permit);
  void cancel(const Call& call, const policy::Permit& permit);
  void record(const Call& call, const policy::Permit& permit, const Outcome& outcome,
              const Classification& result);
  // `why`: with the effect's name before it, what people read about the delivery.
  EffectReply refuse(Call& call, Error error, const std::string& why, Duration wait);
  bool is_likely_new(const Call& call);
  static EffectReply other_body(Call& call, const Effect& effect);
  EffectReply hold(Call& call, const Effect& effect, const std::string& reason);
  struct Asked {
    Reconciled verdict = Reconciled::unknown;
    std::string detail;
    Duration again{};  // worth asking again then; 0 = its answer will not change
    bool asked = false;
  };
  async::Task<Asked> ask(Effect effect, MonoTime deadline);
  // What a question that settled nothing gave, for whoever looks at the effect. Its version changes
  // only if that is news: an approval is of one version.
  async::Task<> note_asked(Effect effect, Asked asked);
  // Only if nobody else has written the entry since it was read: false then.
  async::Task<Result<bool>> put(Effect effect, std::optional<AuditEntry> audit = std::nullopt,
                                ports::Consent consent = {});
  Result<> check_doubt(const Effect& effect) const;
  async::Task<Result<Effect>> settle_doubt(Effect effect, EffectState as, std::string actor,
                                           std::string reason, std::string_view action,
                                           ports::Consent consent = {});

  ports::Store& store_;
  async::Clock& clock_;
  policy::RunningAttempts& running_;
  Wired wired_;
  Rng rng_;
  const MonoTime started_;
  struct InProgress {
    std::string fingerprint;
    std::shared_ptr<policy::RunningAttempt> attempt;  // nullptr: an operator asks
  };
  std::map<std::string, InProgress> in_progress_;  // by key; as many as calls are under way
  std::map<std::string, Counts> counts_;
};

}  // namespace weir::effects
