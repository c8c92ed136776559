// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/publish_request.h"
#include "base/text.h"

namespace weir::app {
namespace {

constexpr std::size_t kDataMax = 64 * 1024 * 1024;  // read from a file or standard input

struct PublishAsked {
  PublishOptions options;
  std::string data;  // as on the command line; "-" = standard input
  bool has_data = false;
  std::string file;
};

// A random UUID (RFC 9562, version 4).
std::string make_uuid() {
  static std::random_device device;
  const auto part = [](std::uint32_t mask, std::uint32_t set) { return (device() & mask) | set; };
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:08x}{:04x}", part(0xFFFFFFFF, 0),
                     part(0xFFFF, 0), part(0x0FFF, 0x4000), part(0x3FFF, 0x8000),
                     part(0xFFFFFFFF, 0), part(0xFFFF, 0));
}

Result<std::string> read_all(std::istream& input, std::string_view name) {
  if (!input) {
    return Error{Code::usage, fmt::format("'{}' cannot be read", name),
                 "check that it exists and may be read"};
  }
  std::string data;
  char block[64 * 1024];
  while (input.read(block, sizeof block), input.gcount() > 0) {
    data.append(block, static_cast<std::size_t>(input.gcount()));
    if (data.size() > kDataMax)
      return Error{Code::usage, fmt::format("'{}' is larger than {} bytes", name, kDataMax), ""};
  }
  return data;
}

Result<std::optional<std::string>> read_data(const PublishAsked& asked) {
  if (!asked.file.empty()) {
    if (asked.has_data)
      return Error{Code::usage, "DATA and --file say two things", "give one of them"};
    std::ifstream file(asked.file, std::ios::binary);
    WEIR_TRY(std::string data, read_all(file, asked.file));
    return std::optional(std::move(data));
  }
  if (!asked.has_data) return std::optional<std::string>{};
  if (asked.data != "-") return std::optional(asked.data);
  WEIR_TRY(std::string data, read_all(std::cin, "standard input"));
  return std::optional(std::move(data));
}

ListView results_view(bool with_problems) {
  ListView view{.member = "results",
                .name = "ref",
                .columns = {{"EVENT", "ref"}, {"STATUS", "status"}, {"ID", "id"}},
                .nothing = "Nothing was published."};
  if (with_problems) view.columns.push_back({"PROBLEM", "error.detail"});
  return view;
}

void summarize(const Session& session, const PublishTotals& totals) {
  session.note(fmt::format("{} stored, {} duplicate, {} refused", grouped(totals.stored),
                           grouped(totals.duplicate), grouped(totals.refused)));
}

std::string last_reference(wire::Json answer) {
  std::string last;
  const auto results = member_at(answer, "results");
  if (!results) return last;
  for (const wire::Json result : *results) {
    if (const std::string reference = text_at(result, "ref"); !reference.empty())
      last = printable(reference);
  }
  return last;
}

int send_all(Session& session, const PublishOptions& options, PublishTotals& totals) {
  const bool short_answer = options.count > kPublishBatch && session.is_table();
  std::string last;
  for (std::uint64_t first = 1; first <= options.count; first += kPublishBatch) {
    const std::uint64_t count = std::min<std::uint64_t>(kPublishBatch, options.count - first + 1);
    const Reply reply = session.send(publish_request(options, first, count, make_uuid));
    if (!reply) return reply.exit;
    add_results(totals, reply.root());
    if (!short_answer) print_list(session, reply, results_view(totals.refused > 0), session.now());
    last = last_reference(reply.root());
  }
  if (short_answer)
    session.print(
        fmt::format("{} published\n", counted(totals.stored + totals.duplicate, "event")));
  if (!last.empty()) session.next(fmt::format("weir explain {}", last));
  return kExitOk;
}

int publish(Session& session, PublishAsked asked) {
  auto data = read_data(asked);
  if (!data.ok()) return session.fail(data.error());
  asked.options.data = std::move(*data);
  if (const auto checked = check(asked.options); !checked.ok())
    return session.fail(checked.error());
  PublishTotals totals;
  const int exit = send_all(session, asked.options, totals);
  if (totals.sum() > 1) summarize(session, totals);
  if (exit != kExitOk) return exit;
  if (totals.refused > 0) return totals.refused == totals.sum() ? kExitFailed : kExitPartial;
  return kExitOk;
}

}  // namespace

void add_publish_command(CLI::App& root, Chosen& chosen) {
  auto asked = std::make_shared<PublishAsked>();
  PublishOptions& options = asked->options;
  CLI::App* command = root.add_subcommand("publish", "put events into a stream");
  command->add_option("STREAM", options.stream)->required()->option_text(" ");
  CLI::Option* data =
      command->add_option("DATA", asked->data, "the event's data, or - for standard input")
          ->option_text(" ");
  command->add_option("--file", asked->file, "read the data from a file")->option_text("FILE");
  command->add_option("--type", options.type, "what happened, com.example.order.created")
      ->option_text("TYPE");
  command->add_option("--source", options.source, "where it happened, /shop")
      ->option_text("SOURCE");
  command->add_option("--id", options.id, "unique within the source; made up if not given")
      ->option_text("ID");
  command->add_option("--subject", options.subject, "what it happened to; often the ordering key")
      ->option_text("TEXT");
  command
      ->add_option("--content-type", options.content_type,
                   "of the data; application/cloudevents+json for whole events")
      ->option_text("TYPE");
  command
      ->add_option("--header", options.headers,
                   "ce-NAME=VALUE adds an attribute, others a header; may be repeated")
      ->option_text("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("--count", options.count, "publish so many events with ids of their own")
      ->option_text("N");
  command->callback([&chosen, asked, data] {
    asked->has_data = data->count() > 0;
    chosen.action = [asked](Session& session) { return publish(session, *asked); };
  });
}

}  // namespace weir::app
