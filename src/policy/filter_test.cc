// SPDX-License-Identifier: Apache-2.0
#include "policy/filter.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

// One event whose attributes have every type, and whose data is the row's.
Event event_with(std::string_view data) {
  Event event;
  event.id = "A-17";
  event.source = "/shop/eu";
  event.type = "com.example.order.Placed";
  event.subject = "orders/17";
  event.time = "2026-11-21T14:02:11Z";
  event.extensions = {{"attempt", "3", AttributeType::integer},
                      {"clientip", "10.1.2.3", AttributeType::string},
                      {"paid", "true", AttributeType::boolean},
                      {"shard", "3", AttributeType::string}};
  event.data = data;
  event.has_data = !data.empty();
  return event;
}

bool matches(std::string_view pattern, const Event& event) {
  const auto filter = Filter::compile(pattern);
  REQUIRE_MESSAGE(filter.ok(), pattern << ": " << filter.error().detail);
  return filter->matches(event);
}

struct Row {
  const char* pattern;
  const char* data;
  bool wanted;
};

// The pattern of a row is what stands under "data".
void check_rows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.data);
    const std::string pattern = std::string(R"({"data":)") + row.pattern + "}";
    CHECK(matches(pattern, event_with(row.data)) == row.wanted);
  }
}

TEST_CASE("attributes match by name and type") {
  const std::pair<const char*, bool> rows[] = {
      {R"({"id":["A-17"]})", true},
      {R"({"id":["a-17"]})", false},
      {R"({"source":["/shop/us","/shop/eu"]})", true},
      {R"({"source":["/shop/us"],"id":["A-17"]})", false},
      {R"({"type":[{"prefix":"com.example.order."}]})", true},
      {R"({"type":[{"suffix":".Shipped"},{"suffix":".Placed"}]})", true},
      {R"({"subject":[{"wildcard":"orders/*"}]})", true},
      {R"({"time":[{"prefix":"2026-11-21"}]})", true},
      {R"({"specversion":["1.0"]})", true},
      {R"({"specversion":[1.0]})", false},
      {R"({"dataschema":[{"exists":false}]})", true},
      {R"({"dataschema":[{"exists":true}]})", false},
      {R"({"dataschema":[""]})", false},
      {R"({"dataschema":[null]})", false},
      {R"({"dataschema":[{"anything-but":"x"}]})", false},
      {R"({"datacontenttype":[{"exists":false}]})", true},
      // Extensions keep their CloudEvents type.
      {R"({"attempt":[3]})", true},
      {R"({"attempt":["3"]})", false},
      {R"({"attempt":[{"numeric":[">",2]}]})", true},
      {R"({"shard":["3"]})", true},
      {R"({"shard":[3]})", false},
      {R"({"shard":[{"numeric":["=",3]}]})", false},
      {R"({"paid":[true]})", true},
      {R"({"paid":[false]})", false},
      {R"({"paid":["true"]})", false},
      {R"({"clientip":[{"cidr":"10.0.0.0/8"}]})", true},
      {R"({"nosuch":[{"exists":false}]})", true},
      {R"({"nosuch":[{"exists":true}]})", false},
      {R"({"$or":[{"id":["no"]},{"source":["/shop/eu"]}]})", true},
      {R"({"$or":[{"id":["no"]},{"source":["no"]}]})", false},
      {R"({"type":[{"suffix":".Placed"}],"$or":[{"id":["no"]},{"paid":[true]}]})", true},
      {R"({"type":["no"],"$or":[{"id":["A-17"]},{"paid":[true]}]})", false},
      {R"({"$or":[{"data":{"a":[2]}},{"id":["A-17"]}]})", true},
      {R"({"$or":[{"data":{"a":[1]}},{"id":["no"]}]})", true},
      {R"({"$or":[{"id":["no"]},{"data":{"a":[1]}}],"data":{"a":[{"numeric":["<",2]}]}})", true},
      {R"({"$or":[{"id":["no"]},{"data":{"a":[1]}}],"data":{"a":[{"numeric":["<",1]}]}})", false},
  };
  for (const auto& [pattern, wanted] : rows) {
    CAPTURE(pattern);
    CHECK(matches(pattern, event_with(R"({"a":1})")) == wanted);
  }
}

TEST_CASE("literals compare by JSON type, text by code point, numbers by value") {
  const Row rows[] = {
      {R"({"a":["x"]})", R"({"a":"x"})", true},
      {R"({"a":["x"]})", R"({"a":"X"})", false},
      {R"({"a":["x","y"]})", R"({"a":"y"})", true},
      {R"({"a":["x"]})", R"({"a":"x","b":1})", true},
      {R"({"a":["\u00e9"]})", R"({"a":"é"})", true},
      {R"({"a":["é"]})", R"({"a":"e\u0301"})", false},  // not normalised
      {R"({"a":["\ud83d\ude00"]})", R"({"a":"😀"})", true},
      {R"({"\u0061":["x"]})", R"({"a":"x"})", true},
      {R"({"a":["true"]})", R"({"a":true})", false},
      {R"({"a":[true]})", R"({"a":true})", true},
      {R"({"a":[true]})", R"({"a":false})", false},
      {R"({"a":["1"]})", R"({"a":1})", false},
      {R"({"a":[1]})", R"({"a":"1"})", false},
      {R"({"a":[300]})", R"({"a":300.0})", true},
      {R"({"a":[300]})", R"({"a":3.0e2})", true},
      {R"({"a":[0]})", R"({"a":-0.0})", true},
      {R"({"a":[9007199254740993]})", R"({"a":9007199254740992})", false},
      {R"({"a":[null]})", R"({"a":null})", true},
      {R"({"a":[null]})", R"({"a":""})", false},
      {R"({"a":[null]})", R"({})", false},
      {R"({"a":[null]})", R"({"a":"null"})", false},
      {R"({"a":[""]})", R"({"a":""})", true},
      {R"({"a":[""]})", R"({"a":null})", false},
      {R"({"a":[""]})", R"({})", false},
  };
  check_rows(rows);
}

TEST_CASE("text matchers look at strings only") {
  const Row rows[] = {
      {R"({"a":[{"prefix":"ab"}]})", R"({"a":"abc"})", true},
      {R"({"a":[{"prefix":"ab"}]})", R"({"a":"a"})", false},
      {R"({"a":[{"prefix":"ab"}]})", R"({"a":"Abc"})", false},
      {R"({"a":[{"prefix":"1"}]})", R"({"a":12})", false},
      {R"({"a":[{"prefix":""}]})", R"({"a":"x"})", true},
      {R"({"a":[{"suffix":""}]})", R"({"a":""})", true},
      {R"({"a":[{"suffix":""}]})", R"({"a":7})", false},
      {R"({"a":[{"equals-ignore-case":""}]})", R"({"a":""})", true},
      {R"({"a":[{"equals-ignore-case":""}]})", R"({"a":"x"})", false},
      {R"({"a":[{"wildcard":""}]})", R"({"a":""})", true},
      {R"({"a":[{"wildcard":""}]})", R"({"a":"x"})", false},
      {R"({"a":[{"prefix":{"equals-ignore-case":"ab"}}]})", R"({"a":"ABc"})", true},
      {R"({"a":[{"suffix":".png"}]})", R"({"a":"x.png"})", true},
      {R"({"a":[{"suffix":".png"}]})", R"({"a":"x.PNG"})", false},
      {R"({"a":[{"suffix":{"equals-ignore-case":".PNG"}}]})", R"({"a":"x.png"})", true},
      {R"({"a":[{"suffix":{"equals-ignore-case":".PNG"}}]})", R"({"a":"png"})", false},
      {R"({"a":[{"equals-ignore-case":"alice"}]})", R"({"a":"ALICE"})", true},
      {R"({"a":[{"equals-ignore-case":"alice"}]})", R"({"a":"alicea"})", false},
      {R"({"a":[{"equals-ignore-case":"true"}]})", R"({"a":true})", false},
      {R"({"a":[{"wildcard":"dir/*.png"}]})", R"({"a":"dir/x/y.png"})", true},
      {R"({"a":[{"wildcard":"dir/*.png"}]})", R"({"a":"dir/.png"})", true},
      {R"({"a":[{"wildcard":"dir/*.png"}]})", R"({"a":"dir/x.jpg"})", false},
      {R"({"a":[{"wildcard":"dir/*.png"}]})", R"({"a":"a/dir/x.png"})", false},
      {R"({"a":[{"wildcard":"*"}]})", R"({"a":""})", true},
      {R"({"a":[{"wildcard":"*"}]})", R"({"a":null})", false},
      {R"({"a":[{"wildcard":"ab"}]})", R"({"a":"ab"})", true},
      {R"({"a":[{"wildcard":"ab"}]})", R"({"a":"abc"})", false},
      {R"({"a":[{"wildcard":"a*a"}]})", R"({"a":"a"})", false},  // no letter counts twice
      {R"({"a":[{"wildcard":"a*b*c"}]})", R"({"a":"aXbYbZc"})", true},
      {R"({"a":[{"wildcard":"a*b*c"}]})", R"({"a":"aXcYc"})", false},
      {R"({"a":[{"wildcard":"*ab*"}]})", R"({"a":"aab"})", true},
      {R"({"a":[{"wildcard":"a\\*b"}]})", R"({"a":"a*b"})", true},
      {R"({"a":[{"wildcard":"a\\*b"}]})", R"({"a":"aXb"})", false},
      {R"({"a":[{"wildcard":"a\\\\*"}]})", R"({"a":"a\\xyz"})", true},
      {R"({"a":[{"wildcard":"a\\\\*"}]})", R"({"a":"a*"})", false},
  };
  check_rows(rows);
}

TEST_CASE("anything-but asks for a field that is there and is none of these") {
  const Row rows[] = {
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":"y"})", true},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":"x"})", false},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":1})", true},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":null})", true},
      {R"({"a":[{"anything-but":"x"}]})", R"({})", false},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":{"b":1}})", false},
      {R"({"a":[{"anything-but":""}]})", R"({"a":""})", false},
      {R"({"a":[{"anything-but":5}]})", R"({"a":5.0})", false},
      {R"({"a":[{"anything-but":5}]})", R"({"a":"5"})", true},
      {R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})", false},
      {R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"z"})", true},
      {R"({"a":[{"anything-but":[1,2]}]})", R"({"a":2})", false},
      {R"({"a":[{"anything-but":[1,2]}]})", R"({"a":3})", true},
      {R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"init"})", false},
      {R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"done"})", true},
      {R"({"a":[{"anything-but":{"prefix":["in","do"]}}]})", R"({"a":"done"})", false},
      {R"({"a":[{"anything-but":{"prefix":{"equals-ignore-case":"in"}}}]})", R"({"a":"INIT"})",
       false},
      {R"({"a":[{"anything-but":{"suffix":"ing"}}]})", R"({"a":"going"})", false},
      {R"({"a":[{"anything-but":{"suffix":"ing"}}]})", R"({"a":"gone"})", true},
      {R"({"a":[{"anything-but":{"suffix":["ing","one"]}}]})", R"({"a":"gone"})", false},
      {R"({"a":[{"anything-but":{"equals-ignore-case":"Init"}}]})", R"({"a":"INIT"})", false},
      {R"({"a":[{"anything-but":{"equals-ignore-case":["a","b"]}}]})", R"({"a":"c"})", true},
      {R"({"a":[{"anything-but":{"wildcard":"*/lib/*"}}]})", R"({"a":"/lib/x"})", false},
      {R"({"a":[{"anything-but":{"wildcard":["*/lib/*","*.o"]}}]})", R"({"a":"x.c"})", true},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","y"]})", true},  // y is one common element
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":["x"]})", false},
      {R"({"a":[{"anything-but":"x"}]})", R"({"a":[]})", false},
  };
  check_rows(rows);
}

TEST_CASE("numbers and addresses lie in ranges") {
  const Row rows[] = {
      {R"({"a":[{"numeric":["=",5]}]})", R"({"a":5.00})", true},
      {R"({"a":[{"numeric":["=",5]}]})", R"({"a":5.01})", false},
      {R"({"a":[{"numeric":[">",0]}]})", R"({"a":0})", false},
      {R"({"a":[{"numeric":[">",0]}]})", R"({"a":0.001})", true},
      {R"({"a":[{"numeric":[">=",0]}]})", R"({"a":0})", true},
      {R"({"a":[{"numeric":["<",-1]}]})", R"({"a":-1})", false},
      {R"({"a":[{"numeric":["<=",-1]}]})", R"({"a":-1})", true},
      {R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5})", true},
      {R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5.1})", false},
      {R"({"a":[{"numeric":["<",5,">=",0]}]})", R"({"a":0})", true},
      {R"({"a":[{"numeric":[">=",5,"<=",5]}]})", R"({"a":5})", true},
      {R"({"a":[{"numeric":[">",0]}]})", R"({"a":"5"})", false},
      {R"({"a":[{"numeric":[">",0]}]})", R"({"a":[-1,5]})", true},
      {R"({"a":[{"numeric":[">",0]}]})", R"({"a":1e400})", false},  // beyond every range
      {R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.0.255"})", true},
      {R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.1.0"})", false},
      {R"({"a":[{"cidr":"10.0.0.0/31"}]})", R"({"a":"10.0.0.2"})", false},
      {R"({"a":[{"cidr":"0.0.0.0/0"}]})", R"({"a":"255.255.255.255"})", true},
      {R"({"a":[{"cidr":"0.0.0.0/0"}]})", R"({"a":"::1"})", false},
      {R"({"a":[{"cidr":"10.0.0.7"}]})", R"({"a":"10.0.0.7"})", true},
      {R"({"a":[{"cidr":"10.0.0.7"}]})", R"({"a":"10.0.0.6"})", false},
      {R"({"a":[{"cidr":"10.0.0.0/8"}]})", R"({"a":"10.0.0"})", false},
      {R"({"a":[{"cidr":"2001:db8::/32"}]})", R"({"a":"2001:DB8:0:0::1"})", true},
      {R"({"a":[{"cidr":"2001:db8::/32"}]})", R"({"a":"2001:db9::1"})", false},
      {R"({"a":[{"cidr":"::/0"}]})", R"({"a":"fe80::1"})", true},
      {R"({"a":[{"cidr":"::ffff:0:0/96"}]})", R"({"a":"::ffff:10.0.0.1"})", true},
      {R"({"a":[{"cidr":"fe80::/9"}]})", R"({"a":"feff::1"})", true},
      {R"({"a":[{"cidr":"fe80::/10"}]})", R"({"a":"fec0::1"})", false},
  };
  check_rows(rows);
}

TEST_CASE("exists looks at leaves, arrays at their elements, objects at their fields") {
  const Row rows[] = {
      {R"({"a":[{"exists":true}]})", R"({"a":null})", true},
      {R"({"a":[{"exists":true}]})", R"({"a":""})", true},
      {R"({"a":[{"exists":true}]})", R"({})", false},
      {R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})", false},  // no leaf
      {R"({"a":[{"exists":false}]})", R"({"a":{"b":1}})", true},
      {R"({"a":[{"exists":false}]})", R"({"a":[{"b":1}]})", true},
      {R"({"a":[{"exists":false}]})", R"({"a":[{"b":1},2]})", false},
      {R"({"a":[{"exists":false}]})", R"({"a":[]})", true},
      {R"({"a":[{"exists":false}]})", R"({"a":[null]})", false},
      {R"({"a":[{"exists":false},"x"]})", R"({"a":"x"})", true},
      {R"({"a":[{"exists":false},"x"]})", R"({"a":"y"})", false},
      {R"({"a":{"b":[{"exists":false}]}})", R"({"a":1})", true},
      {R"({"a":["x"]})", R"({"a":["y","x"]})", true},
      {R"({"a":["x"]})", R"({"a":["y"]})", false},
      {R"({"a":["x"]})", R"({"a":[["y"],["x"]]})", true},
      {R"({"a":[{"prefix":"x"}]})", R"({"a":[1,"xy"]})", true},
      {R"({"a":{"b":["x"]}})", R"({"a":{"b":"x"}})", true},
      {R"({"a":{"b":["x"]}})", R"({"a":"x"})", false},
      {R"({"a":{"b":{"c":[1]}}})", R"({"a":{"b":{"c":1}}})", true},
      {R"({"a.b":["x"]})", R"({"a":{"b":"x"}})", false},
      {R"({"a.b":["x"]})", R"({"a.b":"x"})", true},
      // Objects in arrays: all fields of a pattern in one and the same element.
      {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[{"b":1,"c":2}]})", true},
      {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[{"b":1,"c":3},{"b":3,"c":2}]})", false},
      {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[7,{"b":1,"c":2}]})", true},
      {R"({"a":{"b":[1],"c":[2]}})", R"({"a":[[{"b":1,"c":2}]]})", true},
      {R"({"a":{"b":[1],"c":[{"exists":false}]}})", R"({"a":[{"b":1,"c":2},{"b":1}]})", true},
      {R"({"a":{"b":[1],"c":[{"exists":false}]}})", R"({"a":[{"b":1,"c":2},{"b":2}]})", false},
      {R"({"a":{"b":{"c":[1],"d":[2]}}})", R"({"a":[{"b":[{"c":1},{"d":2}]}]})", false},
      {R"({"a":{"b":{"c":[1],"d":[2]}}})", R"({"a":[{"b":[{"c":0},{"c":1,"d":2}]}]})", true},
      {R"({"a":{"b":[1],"$or":[{"c":[2]},{"c":[3]}]}})", R"({"a":[{"b":1,"c":3}]})", true},
      {R"({"a":{"b":[1],"$or":[{"c":[2]},{"c":[3]}]}})", R"({"a":[{"b":1},{"c":3}]})", false},
      {R"({"$or":[{"a":[1]},{"b":[2]}],"c":[3]})", R"({"b":2,"c":3})", true},
      {R"({"$or":[{"a":[1]},{"b":[2]}],"c":[3]})", R"({"b":2,"c":4})", false},
      {R"({"$or":[{"a":[1]},{"$or":[{"b":[2]},{"b":[3]}]}]})", R"({"b":3})", true},
      {R"({"$or":["x","y"]})", R"({"$or":"y"})", true},  // no objects: an ordinary name
      // The same element also for fields that an $or names.
      {R"({"a":{"b":[1]},"$or":[{"a":{"c":[2]}},{"x":[1]}]})", R"({"a":[{"b":1,"c":2}]})", true},
      {R"({"a":{"b":[1]},"$or":[{"a":{"c":[2]}},{"x":[1]}]})", R"({"a":[{"b":1},{"c":2}]})", false},
      {R"({"a":{"b":[1]},"$or":[{"a":{"c":[2]}},{"x":[1]}]})", R"({"a":[{"b":1}],"x":1})", true},
      {R"({"$or":[{"a":{"b":[1]}},{"x":[1]}],"y":{"$or":[{"a":[1]},{"a":[2]}]}})",
       R"({"a":[{"b":1}],"y":{"a":2}})", true},
      {R"({"z":[1],"$or":[{"a":{"b":[1],"$or":[{"c":[2]},{"d":[3]}]}},{"a":{"e":[4]}}],"a":{"f":[5]}})",
       R"({"z":1,"a":[{"b":1,"d":3},{"f":5,"e":4}]})", true},
      {R"({"z":[1],"$or":[{"a":{"b":[1],"$or":[{"c":[2]},{"d":[3]}]}},{"a":{"e":[4]}}],"a":{"f":[5]}})",
       R"({"z":1,"a":[{"b":1,"d":3},{"f":5}]})", false},
      {R"({"a":{"i":{"b":[1]}},"$or":[{"a":{"i":{"c":[2]}}},{"a":{"x":[1]}}]})",
       R"({"a":{"i":[{"b":1},{"c":2}]}})", false},
      {R"({"a":{"i":{"b":[1]}},"$or":[{"a":{"i":{"c":[2]}}},{"a":{"x":[1]}}]})",
       R"({"a":{"i":[{"b":1},{"b":1,"c":2}]}})", true},
      {R"(["x"])", R"("x")", true},  // data itself is a leaf
      {R"(["x"])", R"(["y","x"])", true},
      {R"([{"exists":true}])", R"({"a":1})", false},
      {R"({"a":[1]})", R"([{"a":2},{"a":1}])", true},
  };
  check_rows(rows);
}

TEST_CASE("data that is no JSON counts as absent") {
  const Filter wanted = *Filter::compile(R"({"data":{"a":[1]}})");
  const Filter absent = *Filter::compile(R"({"data":{"a":[{"exists":false}]}})");
  Event event = event_with(R"({"a":1})");
  CHECK(wanted.matches(event));
  event.datacontenttype = "application/vnd.shop+json; charset=utf-8";
  CHECK(wanted.matches(event));
  event.datacontenttype = "text/plain";
  CHECK_FALSE(wanted.matches(event));
  CHECK(absent.matches(event));
  event.datacontenttype = "";
  event.data_is_binary = true;  // came as base64, and is JSON all the same
  CHECK(wanted.matches(event));
  event.data_is_binary = false;
  event.data = R"({"a":1)";
  CHECK_FALSE(wanted.matches(event));
  CHECK(absent.matches(event));
  event.has_data = false;
  CHECK(absent.matches(event));
}

TEST_CASE("the empty filter matches everything, and a filter knows whether it reads data") {
  CHECK(Filter::all().matches(Event{}));
  CHECK_FALSE(Filter::all().looks_into_data());
  CHECK_FALSE(Filter::compile(R"({"type":["x"]})")->looks_into_data());
  CHECK(Filter::compile(R"({"data":["x"]})")->looks_into_data());
  CHECK(Filter::compile(R"({"$or":[{"id":["x"]},{"data":["x"]}]})")->looks_into_data());
}

std::string text_of(const std::vector<int>& letters) {
  std::string text;
  for (const int letter : letters) text += "ab*"[std::abs(letter) % 3];
  return text;
}

// The definition of a wildcard, without any cleverness.
bool fits(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') {
    return !text.empty() && text[0] == pattern[0] && fits(pattern.substr(1), text.substr(1));
  }
  return fits(pattern.substr(1), text) || (!text.empty() && fits(pattern, text.substr(1)));
}

TEST_CASE("a wildcard matches what its definition says") {
  testing::holds("wildcard", [](const std::vector<int>& shape, const std::vector<int>& letters) {
    std::string pattern = text_of(shape).substr(0, 8);
    for (auto at = pattern.find("**"); at != pattern.npos; at = pattern.find("**")) {
      pattern.erase(at, 1);
    }
    std::string text = text_of(letters).substr(0, 12);
    std::erase(text, '*');
    RC_PRE(!pattern.empty());
    const std::string filter = R"({"subject":[{"wildcard":")" + pattern + R"("}]})";
    Event event;
    event.subject = text;
    RC_ASSERT(matches(filter, event) == (!text.empty() && fits(pattern, text)));
  });
}

}  // namespace
}  // namespace weir::policy
