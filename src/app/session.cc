// SPDX-License-Identifier: Apache-2.0
#include "app/session.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "app/refusal.h"
#include "app/terminal_text.h"
#include "app/token_source.h"

namespace weir::app {
namespace {

constexpr std::size_t kAnswerMax = 80;  // characters of a typed yes or no

void write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace

Session::Session(GlobalOptions options)
    : options_(std::move(options)),
      terminal_(read_terminal(options_.color)),
      client_({.server = options_.server, .actor = local_actor(), .ca_file = options_.ca_file}) {}

Reply Session::post(std::string path, std::string json) {
  return send({.method = "POST",
               .path = std::move(path),
               .headers = {{"content-type", "application/json"}},
               .body = std::move(json)});
}

Reply Session::send(ClientRequest request, bool bytes) {
  if (!has_token_) {
    auto token = find_token(options_.token_file);
    if (!token.ok()) return {.exit = fail(token.error())};
    const Result<> safe = token->empty() ? Result<>{} : check_way(options_.server);
    if (!safe.ok()) return {.exit = fail(safe.error())};
    client_.use_token(*std::move(token));
    has_token_ = true;
  }
  auto answer = client_.call(std::move(request));
  if (!answer.ok()) return {.exit = fail(answer.error())};
  if (answer->status >= 400) {
    const Refusal refusal = to_refusal(answer->status, answer->body, terminal_.error_color);
    write(stderr, refusal.text);
    return {.exit = refusal.exit, .status = answer->status};
  }
  Reply reply{.status = answer->status};
  reply.body = std::make_unique<const std::string>(std::move(answer->body));
  if (bytes) return reply;
  auto document = wire::parse_json(*reply.body);
  if (!document.ok()) {
    return {.exit = fail(Error{Code::malformed_json,
                               fmt::format("{} did not answer in JSON: {}", options_.server,
                                           document.error().detail),
                               "is this a Weir? check --server"}),
            .status = reply.status};
  }
  reply.document = std::make_unique<const wire::JsonDocument>(std::move(*document));
  return reply;
}

std::string Session::reason_body() const {
  wire::JsonWriter json;
  json.begin_object();
  if (!options_.reason.empty()) json.field("reason", options_.reason);
  json.end_object();
  return std::move(json).take();
}

void Session::print(std::string_view text) const {
  write(stdout, terminal_text(text, terminal_.output_color));
}

void Session::print_bytes(std::string_view bytes) const { write(stdout, bytes); }

void Session::note(std::string_view line) const {
  if (!options_.quiet) write(stderr, fmt::format("{}\n", terminal_text(line, false)));
}

void Session::redraw(std::string_view text) const {
  if (!terminal_.error_tty || options_.quiet) return;
  // The cursor goes back to where the text begins, which is where the next one is drawn.
  const auto lines = std::count(text.begin(), text.end(), '\n');
  const std::string back = lines > 0 ? fmt::format("\x1b[{}A\r", lines) : "";
  write(stderr, fmt::format("\r\x1b[J{}{}", terminal_text(text, false), back));
}

void Session::next(std::string_view command) const {
  if (options_.quiet || !terminal_.output_tty || !is_table()) return;
  const std::string shown = terminal_text(command, false);
  write(stderr, terminal_.error_color ? fmt::format("\x1b[2mnext: {}\x1b[0m\n", shown)
                                      : fmt::format("next: {}\n", shown));
}

int Session::fail(const Error& error) const {
  const Refusal refusal = to_refusal(error, terminal_.error_color);
  write(stderr, refusal.text);
  return refusal.exit;
}

std::optional<int> Session::confirm(std::string_view question, std::string_view hint) const {
  if (options_.yes) return std::nullopt;
  if (!terminal_.input_tty || !terminal_.error_tty) {
    return fail(
        Error{Code::usage, fmt::format("{} Nobody is there to ask.", question), std::string(hint)});
  }
  write(stderr, fmt::format("{} [y/N] ", terminal_text(question, false)));
  char answer[kAnswerMax] = {};
  if (std::fgets(answer, sizeof answer, stdin) != nullptr && (answer[0] == 'y' || answer[0] == 'Y'))
    return std::nullopt;
  write(stderr, "Nothing was changed.\n");
  return kExitUsage;
}

}  // namespace weir::app
