// SPDX-License-Identifier: Apache-2.0
// The way of one effect reads like its own summary: who calls, what the ledger knows, admission,
// intent, call, result.
#include "effects/gateway.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "effects/gateway_call.h"
#include "policy/classify.h"
#include "policy/effect_ledger.h"
#include "policy/rate_headers.h"

namespace weir::effects {
namespace {

// Kept back from the attempt, so that the handler still hears the answer.
constexpr Duration kMargin = std::chrono::milliseconds{50};
// When to come again, where nobody knows.
constexpr Duration kAgain = std::chrono::seconds{1};
constexpr std::size_t kPage = 1000;
constexpr std::uint32_t kForgetAtOnce = 500;

bool is_safe(std::string_view method) {  // RFC 9110 9.2.1
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// Before anybody is known to have called.
EffectReply failed(Error error) { return {.error = std::move(error)}; }

// Something else than a refusal of our own.
EffectReply failed(policy::RunningAttempt& attempt, Error error) {
  ++attempt.report.failed;
  return failed(std::move(error));
}

EffectAnswer answer_of(Outcome outcome) {
  EffectAnswer answer{.status = static_cast<std::uint16_t>(outcome.status)};
  for (auto& [name, value] : outcome.headers) {
    if (is_end_to_end(name) && !name.starts_with("weir-"))
      answer.headers.emplace_back(std::move(name), std::move(value));
  }
  answer.body = std::move(outcome.body);
  if (!outcome.body_left_out) return answer;
  // What would describe a body that is not there.
  std::erase_if(answer.headers, [](const auto& header) {
    return header.first.starts_with("content-") || header.first.ends_with("digest");
  });
  answer.headers.emplace_back(
      "weir-answer",
      fmt::format("without its body, which is larger than {} bytes", kAnswerBytesMax));
  return answer;
}

// Nobody has kept what was answered when it happened.
EffectAnswer resolved_answer(const Effect& effect) {
  return {.status = 200,
          .headers = {{"content-type", "application/json"}},
          .body = fmt::format(R"({{"effect":"e{}","state":"confirmed"}})", effect.id.value)};
}

std::string name_of(const Effect& effect) {
  return effect.id ? fmt::format("effect e{} ({})", effect.id.value, describe(effect))
                   : fmt::format("the effect ({})", describe(effect));
}

std::string reason_after(EffectState state, const Classification& result) {
  switch (state) {
    case EffectState::confirmed: return "the dependency said so";
    case EffectState::failedNoEffect: return "nothing happened: " + result.reason;
    default: return "it may have happened: " + result.reason;
  }
}

}  // namespace

Gateway::Gateway(ports::Store& store, async::Clock& clock, policy::RunningAttempts& running,
                 Wired wired, std::uint64_t seed)
    : store_(store),
      clock_(clock),
      running_(running),
      wired_(std::move(wired)),
      rng_(seed),
      started_(clock.mono()) {}

async::Task<Result<>> Gateway::start() {
  for (;;) {
    auto found = co_await store_.effects().list({.state = EffectState::sent, .limit = kPage});
    if (!found.ok()) co_return found.error();
    if (found->empty()) co_return Result<>{};
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    for (Effect& effect : *found) {
      effect.state = EffectState::inDoubt;  // and without an answer, which a list leaves out
      ++effect.version;
      effect.changed_at = clock_.wall();
      effect.reason = "it may have happened: Weir was ended while it was under way";
      batch.mutations.emplace_back(ports::PutEffect{std::move(effect)});
    }
    auto written = co_await store_.writer().commit(std::move(batch));
    if (!written.ok()) co_return written.error();
  }
}

Result<std::shared_ptr<Gateway::Call>> Gateway::take(EffectRequest request) {
  auto attempt = running_.find(request.token);
  if (attempt == nullptr) {
    return Error{Code::effect_token_unknown, "the Weir-Token is unknown, or its attempt is over",
                 "pass on the Weir-Token of the call that the handler is working on"};
  }
  const FlowSpec* flow = wired_.flow(attempt->delivery.flow);
  const DependencySpec* dependency = wired_.dependency(request.dependency);
  const bool listed = flow != nullptr &&
                      std::ranges::find(flow->effects, request.dependency) != flow->effects.end();
  if (!listed || dependency == nullptr) {
    ++attempt->report.failed;
    return Error{
        Code::effect_not_allowed,
        fmt::format("flow '{}' does not list dependency '{}'", attempt->flow, request.dependency),
        fmt::format("effects: [{}] in the flow", request.dependency)};
  }
  auto call = std::make_shared<Call>();
  call->dependency = *dependency;
  call->deadline = attempt->deadline - kMargin;
  call->attempt = std::move(attempt);
  if (request.name.empty())
    request.name = fmt::format("{} {}{}", request.method, request.dependency, request.target);
  call->key = request.caller_key.empty()
                  ? policy::effect_key(call->attempt->idempotency_key, request.step, request.name)
                  : policy::caller_effect_key(call->attempt->flow_identity,
                                              bare_key(request.caller_key));
  call->fingerprint = policy::effect_fingerprint(request.method, request.dependency, request.target,
                                                 request.body);
  call->request = std::move(request);
  return call;
}

async::Task<EffectReply> Gateway::call(EffectRequest request) {
  auto taken = take(std::move(request));
  if (!taken.ok()) co_return failed(std::move(taken).error());
  const std::shared_ptr<Call> call = *std::move(taken);
  if (is_safe(call->request.method) && call->request.caller_key.empty())
    co_return co_await pass_on(call);
  const auto [running, first] = in_progress_.try_emplace(
      call->key, InProgress{call->fingerprint, call->attempt});
  if (!first && running->second.fingerprint != call->fingerprint) {
    co_return other_body(*call, call->as_shown());
  }
  // A handler that does the same twice at once would be deferred for ever.
  if (!first && running->second.attempt == call->attempt) ++call->attempt->report.failed;
  if (!first) {
    co_return refuse(
        *call,
        Error{Code::effect_in_progress,
              fmt::format("another call under the key of {} {}{} is under way",
                          call->request.method, call->request.dependency, call->request.target),
              "come again when it is over; different effects of one delivery need "
              "different names (Weir-Effect)"},
        "another call under its key is under way", kAgain);
  }
  EffectReply reply = co_await once(call);
  in_progress_.erase(call->key);
  co_return reply;
}

EffectReply Gateway::refuse(Call& call, Error error, const std::string& why, Duration wait) {
  EffectReport& report = call.attempt->report;
  if (report.refused++ == 0) {
    const std::string name = call.known ? name_of(*call.known) : name_of(call.as_shown());
    report.first_refusal = fmt::format("{} was put off: {}", name, why);
  }
  report.wait = std::max(report.wait, wait);
  ++counts_[call.request.dependency].refused;
  return {.error = std::move(error), .retry_after = wait};
}

EffectReply Gateway::hold(Call& call, const Effect& effect, const std::string& reason) {
  if (call.attempt->report.held.empty()) call.attempt->report.held = name_of(effect);
  return {.error = Error{Code::effect_in_doubt, fmt::format("{}: {}", name_of(effect), reason),
                         fmt::format("`weir effect resolve e{}` once somebody has looked",
                                     effect.id.value)},
          .standing = "inDoubt"};
}

std::optional<EffectReply> Gateway::admit(Call& call, policy::Work work, policy::Permit& permit) {
  policy::Guardrails* guardrails = wired_.guardrails(call.request.dependency);
  const MonoTime now = clock_.mono();
  if (now >= call.deadline) {
    return failed(*call.attempt,
                  Error{Code::effect_not_done, "no time is left of the attempt: nothing was sent",
                        "Weir-Timeout-Ms told the handler how long it has"});
  }
  if (guardrails == nullptr)
    return failed(*call.attempt, Error{Code::unknown_dependency, call.dependency.name});
  auto refusal = guardrails->admit({.work = work, .path = policy::kEffectsPath}, now, permit);
  if (!refusal) return std::nullopt;
  const Duration wait = refusal->until == MonoTime::max()
                            ? kAgain
                            : std::max<Duration>(refusal->until - now, Duration{1});
  const std::string why = fmt::format("{}: {}", call.dependency.name, refusal->reason);
  return refuse(call,
                Error{Code::effect_refused, why,
                      "fail the delivery: Weir calls again later, and counts no attempt"},
                why, wait);
}

void Gateway::cancel(const Call& call, const policy::Permit& permit) {
  if (policy::Guardrails* guardrails = wired_.guardrails(call.request.dependency))
    guardrails->cancel(permit, clock_.mono());
  wired_.released(call.request.dependency);
}

void Gateway::record(const Call& call, const policy::Permit& permit, const Outcome& outcome,
                     const Classification& result) {
  if (policy::Guardrails* guardrails = wired_.guardrails(call.request.dependency)) {
    guardrails->record(permit, result, outcome.latency, clock_.mono(), rng_,
                       policy::read_server_pace(outcome, result, clock_.wall()));
  }
  wired_.released(call.request.dependency);
}

async::Task<EffectReply> Gateway::pass_on(std::shared_ptr<Call> call) {
  policy::Permit permit;
  if (auto refused = admit(*call, call->work(), permit)) co_return std::move(*refused);
  const std::string headers = call->header_lines("");
  Outcome outcome = co_await wired_.send(call->send(headers));
  const Classification result = call->classify(outcome, clock_.wall());
  record(*call, permit, outcome, result);
  if (result.failure != FailureClass::ok || outcome.body_left_out) ++call->attempt->report.failed;
  if (outcome.body_left_out) {
    co_return failed(Error{Code::effect_not_done,
                           fmt::format("{} answered {} with more than {} bytes",
                                       call->dependency.name, outcome.status, kAnswerBytesMax),
                           "ask for less at once (a range, a page), or ask it directly: it is a "
                           "safe method, and nothing happened"});
  }
  if (outcome.fault != Fault::none)
    co_return failed(Error{Code::effect_not_done, result.reason, "it was a safe method"});
  co_return EffectReply{.answer = answer_of(std::move(outcome))};
}

EffectReply Gateway::other_body(Call& call, const Effect& effect) {
  const std::string name = name_of(effect);
  if (call.attempt->report.other_body.empty()) call.attempt->report.other_body = name;
  return failed(
      *call.attempt,
      Error{Code::effect_other_body, fmt::format("{} has this key, and was another request", name),
            "different effects of one delivery need different names (Weir-Effect) or "
            "keys (Idempotency-Key)"});
}

// The first try of a delivery: the intent itself finds out whether there is an entry, which saves a
// read. Not where a guardrail would refuse what the ledger may answer.
bool Gateway::is_likely_new(const Call& call) {
  const bool first = call.attempt->attempt == 1 && !call.attempt->replay;
  policy::Guardrails* guardrails = wired_.guardrails(call.request.dependency);
  return first && call.request.caller_key.empty() && guardrails != nullptr &&
         guardrails->would_admit({.work = call.work(), .path = policy::kEffectsPath},
                                 clock_.mono());
}

async::Task<EffectReply> Gateway::once(std::shared_ptr<Call> call) {
  if (!call->looked && is_likely_new(*call)) co_return co_await send_once(call, false);
  call->looked = true;
  auto known = co_await store_.effects().get(call->key);
  if (!known.ok()) co_return failed(*call->attempt, std::move(known).error());
  call->known = *std::move(known);
  const WallTime until = clock_.wall() + (call->deadline - clock_.mono());
  const policy::Judgement judgement = policy::judge(call->known, call->fingerprint,
                                                    call->dependency.policy.idempotency, until);
  switch (judgement.ruling) {
    case policy::Ruling::send: co_return co_await send_once(call, false);
    case policy::Ruling::repeat: co_return co_await send_once(call, true);
    case policy::Ruling::ask: co_return co_await ask_first(call);
    case policy::Ruling::hold: co_return hold(*call, *call->known, judgement.reason);
    case policy::Ruling::answer: break;
    case policy::Ruling::otherBody: co_return other_body(*call, *call->known);
  }
  // The entry is kept for as long as the last delivery that stands on it.
  if (call->known->delivery != call->attempt->delivery) {
    Effect kept = *call->known;
    kept.delivery = call->attempt->delivery;
    kept.changed_at = clock_.wall();
    auto written = co_await put(std::move(kept));
    if (!written.ok()) co_return failed(*call->attempt, std::move(written).error());
  }
  ++counts_[call->request.dependency].replayed;
  const bool kept = call->known->answer.status != 0;
  co_return EffectReply{.answer = kept ? call->known->answer : resolved_answer(*call->known),
                        .standing = "replayed"};
}

async::Task<EffectReply> Gateway::send_once(std::shared_ptr<Call> call, bool repeat) {
  policy::Permit permit;
  if (auto refused = admit(*call, call->work(), permit)) co_return std::move(*refused);
  call->begin_entry(repeat, clock_.wall());
  (void)WEIR_FAILPOINT("effect.before_intent");
  Result<bool> intent = true;
  if (!WEIR_SEEDED_BUG("effects.sent_before_intent")) intent = co_await put(call->entry);
  (void)WEIR_FAILPOINT("effect.intent_durable");
  if (!intent.ok() || !*intent) {
    cancel(*call, permit);
    if (!intent.ok()) co_return failed(*call->attempt, std::move(intent).error());
    if (!call->looked) {
      call->looked = true;
      co_return co_await once(call);
    }
    co_return refuse(*call, Error{Code::effect_in_progress, "somebody else was faster", ""},
                     "another call under its key was faster", kAgain);
  }
  ++call->entry.version;
  if (call->attempt->ended || clock_.mono() >= call->deadline) {  // the commit took what was left
    cancel(*call, permit);
    co_return co_await nothing_sent(call, repeat);
  }
  const std::string headers = call->header_lines(call->entry.sent_key());
  Outcome outcome = co_await wired_.send(call->send(headers));
  (void)WEIR_FAILPOINT("effect.answered");
  const Classification result = call->classify(outcome, clock_.wall());
  record(*call, permit, outcome, result);
  co_return co_await settle(call, std::move(outcome), repeat);
}

async::Task<EffectReply> Gateway::nothing_sent(std::shared_ptr<Call> call, bool repeat) {
  // As it was before, but for the fence.
  const std::uint32_t version = call->entry.version;
  if (call->known) call->entry = *call->known;
  call->entry.version = version;
  if (!repeat) {
    call->entry.state = EffectState::failedNoEffect;
    call->entry.reason = "nothing was sent: the attempt was over";
  }
  auto written = co_await put(call->entry);
  if (!written.ok()) co_return failed(*call->attempt, std::move(written).error());
  co_return failed(*call->attempt,
                   Error{Code::effect_not_done, "the attempt is over: nothing was sent", ""});
}

async::Task<EffectReply> Gateway::settle(std::shared_ptr<Call> call, Outcome outcome, bool repeat) {
  const Classification result = call->classify(outcome, clock_.wall());
  const bool answered = outcome.fault == Fault::none;
  Effect& entry = call->entry;
  entry.state = policy::state_after(result, outcome, repeat, entry.sends);
  entry.changed_at = clock_.wall();
  entry.reason = reason_after(entry.state, result);
  if (outcome.body_left_out) entry.reason += "; the body of its answer was too large to keep";
  if (answered) entry.answer = answer_of(std::move(outcome));
  auto written = co_await put(entry);
  (void)WEIR_FAILPOINT("effect.result_durable");
  if (!written.ok()) co_return failed(*call->attempt, std::move(written).error());
  if (!*written)  // the fence: what a person said meanwhile counts
    co_return hold(*call, entry, "somebody else settled it while the call was under way");
  Counts& counts = counts_[call->request.dependency];
  if (entry.state == EffectState::confirmed) {
    ++counts.confirmed;
    co_return EffectReply{.answer = entry.answer, .standing = "confirmed"};
  }
  ++call->attempt->report.failed;
  const bool doubt = entry.state == EffectState::inDoubt;
  ++(doubt ? counts.in_doubt : counts.failed);
  const bool held = doubt && call->dependency.policy.idempotency.on_in_doubt == OnInDoubt::hold;
  if (held && call->attempt->report.held.empty()) call->attempt->report.held = name_of(entry);
  if (answered)
    co_return EffectReply{.answer = entry.answer, .standing = doubt ? "inDoubt" : "failedNoEffect"};
  co_return EffectReply{
      .error = Error{doubt ? Code::effect_no_answer : Code::effect_not_done, entry.reason, ""},
      .standing = doubt ? "inDoubt" : "failedNoEffect"};
}

async::Task<Result<bool>> Gateway::put(Effect effect, std::optional<AuditEntry> audit,
                                       ports::Consent consent) {
  ports::WriteBatch batch;
  if (!WEIR_SEEDED_BUG("effects.fence_removed"))
    batch.preconditions.emplace_back(ports::EffectIs{effect.key, effect.version});
  ++effect.version;
  batch.mutations.emplace_back(ports::PutEffect{std::move(effect)});
  if (audit) batch.mutations.emplace_back(ports::AddAudit{*std::move(audit)});
  ports::add_to(batch, std::move(consent));
  auto receipt = co_await store_.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return std::move(receipt).error();
  co_return receipt->applied;
}

async::Task<bool> Gateway::forget_step() {
  auto settled = co_await store_.effects().oldest_settled();
  if (!settled.ok()) co_return false;
  bool more = false;
  for (const auto& [name, oldest] : *settled) {
    // One that has left the configuration may come back, and mean the same.
    const DependencySpec* dependency = wired_.dependency(name);
    const Duration window = dependency == nullptr ? IdempotencySpec{}.window
                                                  : dependency->policy.idempotency.window;
    const WallTime before = clock_.wall() - window;
    if (oldest >= before) continue;
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::DropEffects{name, before, kForgetAtOnce});
    auto receipt = co_await store_.writer().commit(std::move(batch));
    more = more || (receipt.ok() && receipt->effects_dropped == kForgetAtOnce);
  }
  co_return more;
}

}  // namespace weir::effects
