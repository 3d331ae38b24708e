#include <fmt/format.h>
#include <gmock/gmock.h>

#include <ostream>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"
#include "trainer/storage/safetensors.h"

namespace convoy::testing {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string what;
  std::string json;
  std::string data;
  std::string reason;

  friend void PrintTo(const Case& each, std::ostream* out) { *out << each.what; }
};

std::string nested(int depth) { return "{\"a\":" + std::string(static_cast<std::size_t>(depth), '['); }

std::vector<Case> hostile_cases() {
  const std::string a = R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  const std::string tail = R"("data_offsets":[0,2]}})";
  return {
      {"NotJson", "hello", "", "not a JSON object"},
      {"NoHeader", "", "", "not a JSON object"},
      {"AnArray", "[1]", "", "not a JSON object"},
      {"CutJson", R"({"a":{)", "", "not valid JSON at byte 14"},
      {"SpaceFirst", " {}", "", "not a JSON object"},
      {"TextAfter", "{} {}", "", "text follows the header's JSON at byte 11"},
      {"Nul", std::string("{\0}", 3), "", "not valid JSON at byte 9"},
      {"BadUtf8", "{\"\xff\":{}}", "", "not valid JSON"},
      {"LoneSurrogate", R"({"\ud800":{}})", "", "not valid JSON"},
      {"DeepArrays", nested(1'000'000), "", "an array stands where it cannot be"},
      {"DeepShape", R"({"a":{"shape":[[[[)", "", "an array stands where it cannot be"},
      {"DeepObjects", R"({"a":{"dtype":{"x":{)", "", "an object stands where it cannot be"},
      {"TensorIsText", R"({"a":"b"})", "", "a string stands where it cannot be, in \"a\""},
      {"TensorIsNull", R"({"a":null})", "", "null stands"},
      {"TensorIsBool", R"({"a":true})", "", "a truth value stands"},
      {"MetadataNumber", R"({"__metadata__":{"a":1}})", "", "a number stands"},
      {"MetadataNested", R"({"__metadata__":{"a":{}}})", "", "an object stands"},
      {"MetadataKeyTwice", R"({"__metadata__":{"a":"1","a":"2"}})", "", "metadata \"a\" is there twice"},
      {"MetadataTwice", R"({"__metadata__":{},"__metadata__":{}})", "", "\"__metadata__\" is there twice"},
      {"NameTwice", "{" + a + "," + a + "}", "xy", "\"a\" is there twice"},
      {"FieldTwice", R"({"a":{"dtype":"U8","dtype":"U8","shape":[2],)" + tail, "xy", "\"dtype\" twice"},
      {"FieldMissing", R"({"a":{"dtype":"U8",)" + tail, "xy", "tensor \"a\" has no shape"},
      {"FieldUnknown", R"({"a":{"dtype":"U8","x":[2],)" + tail, "xy",
       "\"x\", which the format does not know"},
      {"DtypeUnknown", R"({"a":{"dtype":"F31","shape":[2],)" + tail, "xy", "unknown dtype \"F31\""},
      {"DtypeNumber", R"({"a":{"dtype":1,"shape":[2],)" + tail, "xy", "a number stands"},
      {"DtypeArray", R"({"a":{"dtype":["U8"],"shape":[2],)" + tail, "xy", "an array stands"},
      {"ShapeNegative", R"({"a":{"dtype":"U8","shape":[-2],)" + tail, "xy", "a negative number stands"},
      {"ShapeFraction", R"({"a":{"dtype":"U8","shape":[2.0],)" + tail, "xy", "not an integer"},
      {"ShapeText", R"({"a":{"dtype":"U8","shape":["2"],)" + tail, "xy", "a string stands"},
      {"ShapeHuge", R"({"a":{"dtype":"U8","shape":[18446744073709551615],)" + tail, "xy", "over 2^63"},
      {"ShapeOverflow", R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,2],)" + tail, "xy", "overflows"},
      {"ShapeOverflowTo0", R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,0],)" + tail, "xy",
       "overflows"},
      {"ShapeMismatch", R"({"a":{"dtype":"F32","shape":[2],)" + tail, "xy", "needs 8 bytes"},
      {"OffsetsOne", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[2]}})", "xy", "not two numbers"},
      {"OffsetsThree", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2,2]}})", "xy", "not two numbers"},
      {"OffsetsBackward", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}})", "xy", "needs 2 bytes"},
      {"OffsetsHuge",
       R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[9223372036854775805,9223372036854775807]}})", "xy",
       "begins at byte 9223372036854775805 of the data, where 0 is expected (hole)"},
      {"Hole", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "xyz", "(hole)"},
      {"Overlap", "{" + a + R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "xyz", "(overlap)"},
      {"SamePlace", "{" + a + R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy", "(overlap)"},
      {"Truncated", "{" + a + "}", "x", "2 bytes of data, the file has 1"},
      {"Trailing", "{" + a + "}", "xyz", "1 bytes follow the last tensor, which ends at byte 2"},
      {"TrailingNoTensor", "{}", "x", "1 bytes follow"},
      {"UnknownTypeToo", R"({"a":{"dtype":"I64","shape":[2],)" + tail, "xy", "needs 16 bytes"},
  };
}

class HostileFile : public StorageTest, public ::testing::WithParamInterface<Case> {};

TEST_P(HostileFile, IsRefusedWithFileAndReason) {
  write_file(path("a"), file_text(GetParam().json, GetParam().data));
  const std::string message = refusal(path("a"), SafetensorsFile::open);
  EXPECT_THAT(message, HasSubstr(GetParam().reason));
  EXPECT_THAT(message, ::testing::StartsWith(path("a") + ": "));
}

INSTANTIATE_TEST_SUITE_P(Each, HostileFile, ::testing::ValuesIn(hostile_cases()),
                         [](const auto& each) { return each.param.what; });

using HostileFiles = StorageTest;

TEST_F(HostileFiles, WithWrongHeaderLengthsAreRefusedBeforeAnythingIsAllocated) {
  using namespace std::string_literals;
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "it is truncated: 0 bytes"},
           {"\x02\0\0"s, "it is truncated: 3 bytes"},
           {"\x03\0\0\0\0\0\0\0{}"s, "a header of 3 bytes, and 2 bytes in the file"},
           {"\xff\xff\xff\xff\xff\xff\xff\xff{}"s, "ask for a header of 18446744073709551615 bytes"},
           {"\0\0\0\0\0\0\0\x80{}"s, "ask for a header of 9223372036854775808 bytes"},
           {"\x01\xe1\xf5\x05\0\0\0\0{}"s, "ask for a header of 100000001 bytes (the most is 100000000)"}}) {
    write_file(path("a"), text);
    EXPECT_THAT(refusal(path("a"), SafetensorsFile::open), HasSubstr(reason));
  }
}

TEST_F(HostileFiles, HaveTheirNamesCutShortAndEscapedInMessages) {
  const std::string name = "\\u001b[2J\\n" + std::string(5'000'000, 'x');
  write_file(path("a"), file_text("{\"" + name + "\":null}", ""));
  const std::string message = refusal(path("a"), SafetensorsFile::open);
  EXPECT_LT(message.size(), 400U);
  EXPECT_THAT(message, HasSubstr("\\x1b[2J\\nxxx"));
}

TEST_F(HostileFiles, MayHaveWhitespaceAndAnyOrder) {
  const std::string json =
      "{ \"b\" : {\"data_offsets\":[2,3],\n\"shape\":[ ],\"dtype\":\"U8\"},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[2,1],\"data_offsets\":[0,2]}}  \t ";
  write_file(path("a"), file_text(json, "xyz"));
  const SafetensorsFile file = SafetensorsFile::open(path("a"));
  EXPECT_EQ(file.tensors().at(0).name, "a");
  EXPECT_EQ(file.find("b")->data[0], std::byte{'z'});
}

}  // namespace
}  // namespace convoy::testing
