#include "trainer/storage/safetensors.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "layers/core/error.h"
#include "tests/trainer/storage/storage_fixture.h"

namespace convoy::testing {
namespace {

const std::string kReference = CONVOY_SOURCE "/tests/trainer/storage/reference.safetensors";

using ::testing::HasSubstr;
using Safetensors = StorageTest;

/// The message of the Error(code) of a write, "" when it throws none.
std::string write_failure(const std::string& path, const std::vector<TensorView>& tensors,
                          const Metadata& metadata, ExitCode code = ExitCode::internal) {
  try {
    write_safetensors(path, tensors, metadata);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
}

void expect_same(const TensorView& expected, const TensorView* found) {
  ASSERT_NE(found, nullptr) << expected.name;
  EXPECT_EQ(found->dtype, expected.dtype) << expected.name;
  EXPECT_EQ(found->dims, expected.dims) << expected.name;
  EXPECT_TRUE(std::ranges::equal(found->data, expected.data)) << expected.name;
}

TEST_F(Safetensors, GivesBackEveryTypeScalarsAndEmptyTensors) {
  const std::vector<OwnedTensor> tensors = sample_tensors();
  const Metadata metadata{{"step", "12"}, {"text \"\\\n é", ""}};
  write_safetensors(path("a"), views_of(tensors), metadata);

  SafetensorsFile opened = SafetensorsFile::open_checked(path("a"));
  const SafetensorsFile file = std::move(opened);
  EXPECT_EQ(file.tensors().size(), tensors.size());
  for (const OwnedTensor& tensor : tensors) expect_same(tensor.view(), file.find(tensor.name_));
  for (const auto& [key, value] : metadata) EXPECT_EQ(file.metadata().at(key), value);
  EXPECT_EQ(file.find("conv"), nullptr);
}

TEST_F(Safetensors, WritesNoTensorsAndNoMetadata) {
  write_safetensors(path("a"), std::vector<TensorView>{}, {});
  const SafetensorsFile file = SafetensorsFile::open_checked(path("a"));
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_EQ(file.metadata().size(), 2U);  // the checksums
}

TEST_F(Safetensors, AlignsDataAndEachTensor) {
  write_safetensors(path("a"), views_of(sample_tensors()), {{"x", "1"}});
  const std::string text = read_file(path("a"));
  EXPECT_EQ((static_cast<unsigned char>(text[0]) + 256U * static_cast<unsigned char>(text[1])) % 8, 0U);
  EXPECT_EQ(text[8], '{');
  const SafetensorsFile file = SafetensorsFile::open(path("a"));
  for (const TensorView& tensor : file.tensors())
    EXPECT_EQ(
        reinterpret_cast<std::uintptr_t>(tensor.data.data()) % static_cast<unsigned>(size_of(tensor.dtype)),
        0U)
        << tensor.name;
}

TEST_F(Safetensors, KeepsTheChecksumsItsOwn) {
  // Metadata that looks like the place of the checksum must not mislead it, nor may a caller's old checksums.
  const OwnedTensor tensor("\"header_crc32\":\"00000000", DType::u8, {4}, 1);
  const Metadata metadata{
      {"a\"header_crc32\":\"", "\"header_crc32\":\"12345678"}, {"crc32", "no"}, {"header_crc32", "no"}};
  write_safetensors(path("a"), std::vector{tensor.view()}, metadata);
  const SafetensorsFile first = SafetensorsFile::open_checked(path("a"));
  write_safetensors(path("b"), first.tensors(), first.metadata());
  EXPECT_EQ(read_file(path("a")), read_file(path("b")));
}

TEST_F(Safetensors, ReadsWhatTheReferenceWrote) {
  const SafetensorsFile file = SafetensorsFile::open(kReference);
  EXPECT_EQ(file.metadata(), (Metadata{{"framework", "reference"}, {"é", "\"\\\n"}}));
  for (const OwnedTensor& tensor :
       {OwnedTensor("weight", DType::f32, {2, 3}, 1), OwnedTensor("half", DType::f16, {5}, 2),
        OwnedTensor("brain", DType::bf16, {1, 2, 1}, 3), OwnedTensor("bytes", DType::u8, {3}, 4),
        OwnedTensor("counts", DType::s32, {2}, 5), OwnedTensor("scalar", DType::f32, {}, 6),
        OwnedTensor("empty", DType::f32, {0, 4}, 7)})
    expect_same(tensor.view(), file.find(tensor.name_));
  EXPECT_EQ(file.tensors().size(), 7U);
  ASSERT_EQ(file.unsupported().size(), 2U);
  EXPECT_EQ(file.unsupported()[0].name, "num_batches_tracked");
  EXPECT_EQ(file.unsupported()[0].dtype, "I64");
  EXPECT_EQ(file.unsupported()[1].dtype, "F64");
  EXPECT_THAT(refusal(kReference, SafetensorsFile::open_checked), HasSubstr("no checksum"));
}

TEST_F(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const OwnedTensor good("w", DType::f32, {2}, 1);
  write_safetensors(path("a"), std::vector{good.view()}, {});
  const std::string before = read_file(path("a"));

  TensorView wrong_size = good.view();
  wrong_size.dims = {3};
  TensorView not_text = good.view();
  not_text.name = "\xff";
  TensorView reserved = good.view();
  reserved.name = "__metadata__";
  EXPECT_THAT(write_failure(path("a"), {wrong_size}, {}), HasSubstr("\"w\" of F32 needs 12 bytes"));
  EXPECT_THAT(write_failure(path("a"), {good.view(), good.view()}, {}), HasSubstr("\"w\" is there twice"));
  EXPECT_THAT(write_failure(path("a"), {not_text}, {}), HasSubstr("not valid JSON"));
  EXPECT_THAT(write_failure(path("a"), {reserved}, {}), HasSubstr("\"__metadata__\" is there twice"));
  EXPECT_THAT(write_failure(path("a"), {}, {{"k", "\xc3"}}), HasSubstr("not valid JSON"));
  EXPECT_THAT(write_failure(path("no/a"), {good.view()}, {}, ExitCode::usage),
              HasSubstr("cannot write " + path("no/a") + ": No such file"));
  EXPECT_EQ(read_file(path("a")), before);
}

TEST_F(Safetensors, NamesFilesThatCannotBeOpened) {
  EXPECT_THAT(refusal(path("none"), SafetensorsFile::open),
              HasSubstr("cannot open " + path("none") + ": No such"));
  EXPECT_THAT(refusal(folder_.string(), SafetensorsFile::open), HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(path("pipe"), SafetensorsFile::open), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace convoy::testing
