#include "tests/fuzz/fuzz_targets.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "layers/core/error.h"
#include "trainer/data/folder_index.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/image_list.h"
#include "trainer/data/index_format.h"
#include "trainer/data/shard_scan.h"
#include "trainer/data/tar_header.h"

namespace convoy {
namespace {

const std::string kName = "fuzz";

/// Runs `work`; Errors are results.
template <class Work>
void expect_error_at_worst(const Work& work) {
  try {
    work();
  } catch (const Error&) {
  }
}

class BytesAsTar : public TarSource {
 public:
  explicit BytesAsTar(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  const std::string& name() const override { return kName; }
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    if (offset < 0 || offset >= size()) return 0;
    const auto start = static_cast<std::size_t>(offset);
    const std::size_t count = std::min(out.size(), bytes_.size() - start);
    std::copy_n(bytes_.begin() + offset, count, out.begin());
    return count;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

void mend_check_sums(std::vector<std::uint8_t>& content) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  if (content.size() < sizeof(IndexHeader)) return;
  auto* header = reinterpret_cast<IndexHeader*>(content.data());
  std::memcpy(header->magic, kIndexMagic, sizeof(kIndexMagic));
  header->header_crc = index_header_crc(*header);
  header->file_bytes = content.size();
  for (const std::uint64_t count : {header->entries, header->folders, header->classes, header->text_bytes,
                                    header->blocks, header->names_bytes}) {
    if (count >= kMost) return;
  }
  const IndexSections sections = IndexSections::of(*header);
  constexpr auto block = static_cast<std::uint64_t>(FolderIndex::kBlockEntries);
  if (sections.end != content.size() || header->blocks != (header->entries + block - 1) / block) return;
  auto* sums = reinterpret_cast<std::uint32_t*>(content.data() + sections.blocks);
  for (std::uint64_t i = 0; i < header->blocks; ++i) sums[i] = index_block_crc(*header, content.data(), i);
  header->tables_crc = index_tables_crc(*header, content.data());
  header->header_crc = index_header_crc(*header);
}

/// Check sums of the blocks that are meant as headers.
std::vector<std::uint8_t> with_tar_check_sums(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> content(bytes.begin(), bytes.end());
  constexpr auto kBlock = static_cast<std::size_t>(kTarBlock);
  for (std::size_t at = 0; at + kBlock <= content.size(); at += kBlock) {
    const auto header = std::span(content).subspan(at, kBlock);
    if (std::memcmp(header.data() + kTarMagic.start, kPosixMagic, 5) != 0) continue;
    const std::string sum = fmt::format("{:06o}", tar_check_sum(header));
    std::copy_n(sum.c_str(), sum.size() + 1, header.begin() + kTarCheckSum.start);
    header[kTarCheckSum.start + 7] = ' ';
  }
  return content;
}

void read_tar(std::span<const std::uint8_t> bytes) {
  const BytesAsTar source(bytes);
  expect_error_at_worst([&] {
    TarReader reader(source);
    for (TarMember member; reader.next(member);) {
      if (member.offset < kTarBlock || member.bytes < 0 || member.offset + member.bytes > source.size())
        std::terminate();
    }
  });
  expect_error_at_worst([&] { list_shard(source); });
}

/// The lower right half, to be made 8 x 8.
ImageCrop half_of(int height, int width) {
  const Rect rect{height / 2, width / 2, height - height / 2, width - width / 2};
  return {rect,
          {static_cast<double>(rect.top), static_cast<double>(rect.left), static_cast<double>(rect.height),
           static_cast<double>(rect.width)},
          8,
          8};
}

}  // namespace

void fuzz_tar(std::span<const std::uint8_t> bytes) {
  read_tar(bytes);
  read_tar(with_tar_check_sums(bytes));
}

void fuzz_index(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> content(bytes.begin(), bytes.end());
  mend_check_sums(content);
  expect_error_at_worst([&] {
    const auto index = FolderIndex::of(std::move(content), kName);
    index->class_sizes();
    index->folders();
    for (std::int64_t i = 0; i < std::min<std::int64_t>(index->size(), 10000); ++i) index->entry(i);
  });
}

void fuzz_image(std::span<const std::uint8_t> bytes) {
  DecodeScratch scratch;
  View view;
  // What is refused for its size is large: a fuzzer that draws headers would only measure memory.
  const auto small = [](const ChooseCrop& choose) {
    return [&choose](int height, int width) {
      if (std::int64_t{height} * width > 1 << 20) fail(ExitCode::data, "too large for a fuzzer");
      return choose(height, width);
    };
  };
  const ChooseCrop whole = whole_image;
  const ChooseCrop half = half_of;
  expect_error_at_worst([&] { decode_image({bytes, kName}, {}, small(whole), scratch, view); });
  expect_error_at_worst([&] { decode_image({bytes, kName}, {true, 0}, small(half), scratch, view); });
}

void fuzz_list(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  expect_error_at_worst([&] { FolderIndex::of(parse_list(text, kName)); });
}

}  // namespace convoy
