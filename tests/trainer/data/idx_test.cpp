#include <numeric>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/dataset.h"

namespace convoy {
namespace {

constexpr std::uint32_t kImages = 5;
constexpr std::uint32_t kHeight = 3;
constexpr std::uint32_t kWidth = 4;

Bytes pixels() {
  Bytes content(kImages * kHeight * kWidth);
  std::iota(content.begin(), content.end(), std::uint8_t{7});
  return content;
}

Bytes good_images() { return idx_header({kImages, kHeight, kWidth}) + pixels(); }
Bytes good_labels() { return idx_header({kImages}) + Bytes{3, 0, 9, 1, 9}; }

/// A pair of files in a folder, and the data set that they make.
struct Pair {
  Folder folder;
  DataSource source;

  Pair(const Bytes& images, const Bytes& labels, const std::string& ending = "") {
    source = {
        .kind = "idx", .root = folder.path(), .images = "i" + ending, .labels = "l" + ending, .classes = 10};
    folder.write(source.images, images);
    folder.write(source.labels, labels);
  }
  std::shared_ptr<const Dataset> open() const { return open_dataset(source, Split::train); }
};

void expect_good(const Dataset& set) {
  EXPECT_EQ(set.size(), kImages);
  EXPECT_EQ(set.classes(), 10);
  EXPECT_EQ(set.shape(), (Shape{1, kHeight, kWidth}));
  EXPECT_EQ(set.class_names()[9], "9");
  Image image;
  EXPECT_EQ(set.read(2, image), 9);
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.height, 3);
  EXPECT_EQ(image.width, 4);
  EXPECT_EQ(image.pixels, (Bytes{31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42}));
  EXPECT_EQ(set.read(0, image), 3);
  EXPECT_EQ(image.pixels[0], 7);
  EXPECT_THROW(set.read(5, image), Error);
  EXPECT_THROW(set.read(-1, image), Error);
}

TEST(Idx, ReadsPlainFiles) { expect_good(*Pair(good_images(), good_labels()).open()); }

TEST(Idx, ReadsPackedFilesWhateverTheyAreCalled) {
  expect_good(*Pair(gzipped(good_images()), gzipped(good_labels()), ".gz").open());
  expect_good(*Pair(gzipped(good_images()), good_labels()).open());  // packed, without the ending
  expect_good(*Pair(good_images(), good_labels(), ".gz").open());    // not packed, with the ending
  Pair asked_plain(gzipped(good_images()), gzipped(good_labels()), ".gz");
  asked_plain.source.images = "i";
  asked_plain.source.labels = "l";
  expect_good(*asked_plain.open());
  Pair asked_packed(good_images(), good_labels());
  asked_packed.source.images = "i.gz";
  asked_packed.source.labels = "l.gz";
  expect_good(*asked_packed.open());
}

TEST(Idx, FindsTheStandardNames) {
  for (const char* kind : {"mnist", "fashion-mnist", "idx"}) {
    const Folder folder;
    folder.write("train-images-idx3-ubyte.gz", gzipped(good_images()));
    folder.write("train-labels-idx1-ubyte", good_labels());
    folder.write("t10k-images.idx3-ubyte", idx_header({1, 2, 2}) + Bytes{1, 2, 3, 4});
    folder.write("t10k-labels.idx1-ubyte", idx_header({1}) + Bytes{6});
    const DataSource source{.kind = kind, .root = folder.path(), .classes = 10};
    EXPECT_EQ(open_dataset(source, Split::train)->size(), kImages);
    EXPECT_EQ(open_dataset(source, Split::test)->size(), 1);
  }
}

TEST(Idx, NamesTheMissingFileAndThePackage) {
  const Folder folder;
  const auto open = [&](const char* kind) {
    open_dataset({.kind = kind, .root = folder.path()}, Split::test);
  };
  expect_error(ExitCode::data,
               {folder.path() + "/t10k-images-idx3-ubyte", "apt-get install dataset-fashion-mnist"},
               [&] { open("fashion-mnist"); });
  expect_error(ExitCode::data, {folder.path() + "/t10k-images-idx3-ubyte", "data.root"},
               [&] { open("mnist"); });
  Pair pair(good_images(), good_labels());
  pair.source.labels = "none";
  expect_error(ExitCode::data, {"/none", "no such file"}, [&] { pair.open(); });
  pair.source.labels = ".";
  expect_error(ExitCode::data, {"not a regular file"}, [&] { pair.open(); });
}

TEST(Idx, RefusesSourcesThatCannotBe) {
  Pair pair(good_images(), good_labels());
  pair.source.labels = "";
  expect_error(ExitCode::usage, {"data.labels"}, [&] { pair.open(); });
  pair.source.classes = 0;
  expect_error(ExitCode::usage, {"data.classes"}, [&] { pair.open(); });
  expect_error(ExitCode::usage, {"\"minst\"", "did you mean \"mnist\"", "cifar100"},
               [] { open_dataset({.kind = "minst"}, Split::train); });
}

struct Broken {
  const char* name;
  Bytes images;
  Bytes labels;
  std::vector<std::string> parts;  ///< of the message
};

Bytes cut(Bytes content, std::size_t bytes) {
  content.resize(content.size() - bytes);
  return content;
}

Bytes with(Bytes content, std::size_t offset, std::uint8_t value) {
  content.at(offset) = value;
  return content;
}

TEST(Idx, RefusesEveryBrokenForm) {
  const Bytes images = good_images();
  const Bytes labels = good_labels();
  const Bytes packed = gzipped(images);
  const std::vector<Broken> all{
      {"empty", {}, labels, {"/i:", "ends at byte 0", "fetch it again"}},
      {"cut in the header", cut(images, images.size() - 9), labels, {"/i:", "IDX header"}},
      {"magic", with(images, 0, 'P'), labels, {"/i:", "no IDX file", "50 00 08 03"}},
      {"type", with(images, 2, 0x0D), labels, {"/i:", "byte 2", "0x0d", "0x08"}},
      {"swapped", labels, images, {"/i:", "byte 3 says 1 dimensions", "swapped"}},
      {"no rows", idx_header({kImages, 0, kWidth}), labels, {"/i:", "dimension 1 at byte 8 is 0"}},
      {"no images", idx_header({0, 1, 1}), idx_header({0}), {"/i:", "dimension 0 at byte 4 is 0"}},
      {"cut", cut(images, 1), labels, {"/i:", "60 bytes of pixels", "cut short"}},
      {"labels cut", images, cut(labels, 1), {"/l:", "5 bytes of labels", "cut short"}},
      {"goes on", images + Bytes{0}, labels, {"/i:", "goes on after byte 76"}},
      {"labels go on", images, labels + Bytes{0}, {"/l:", "goes on after byte 13"}},
      {"packed goes on", gzipped(images + Bytes{0}), labels, {"/i:", "goes on after byte 76"}},
      {"counts", images, idx_header({4}) + Bytes{0, 0, 0, 0}, {"/i has 5 images", "/l has 4 labels"}},
      {"label", images, with(labels, 10, 10), {"/l:", "record 2 (byte 10) has label 10", "0 to 9"}},
      {"packed cut", cut(packed, 20), labels, {"/i:", "gzip file is cut short"}},
      {"packed header cut",
       Bytes(packed.begin(), packed.begin() + 5),
       labels,
       {"/i:", "gzip file is cut short"}},
      {"check sum cut", cut(packed, 3), labels, {"/i:", "gzip file is cut short"}},
      {"check sum", with(packed, packed.size() - 6, 1), labels, {"/i:", "gzip file is damaged", "check"}},
      {"length", with(packed, packed.size() - 1, 1), labels, {"/i:", "gzip file is damaged", "length"}},
      {"packed content short", gzipped(cut(images, 7)), labels, {"/i:", "ends at byte 69, 7 bytes before"}},
  };
  for (const Broken& broken : all) {
    SCOPED_TRACE(broken.name);
    expect_error(ExitCode::data, broken.parts, [&] { Pair(broken.images, broken.labels).open(); });
  }
}

// Any flipped bit of a packed file is an error or changes nothing that counts (a time, a name in gzip's
// header).
TEST(Idx, NoFlippedBitOfPackedFilesPassesUnseen) {
  const Bytes packed = gzipped(good_images());
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    Bytes flipped = packed;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    Pair pair(flipped, good_labels());
    try {
      expect_good(*pair.open());
      EXPECT_TRUE(bit / 8 < 10 || bit / 8 == packed.size() - 9) << bit;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data) << error.what();
    }
  }
}

TEST(Idx, GiganticHeadersCostNoMemory) {
  constexpr std::uint32_t kMost = 0xFFFFFFFF;
  const Bytes labels = idx_header({kMost}) + Bytes{1, 2, 3};
  // 2^32 × 65535 × 65535 overflows 64 bits; labels come first, so cut those too.
  expect_error(ExitCode::data, {"/l:", "4294967295 bytes of labels", "more than a file of this size"}, [&] {
    Pair(idx_header({kMost, 65535, 65535}), labels).open();
  });
  expect_error(ExitCode::data, {"/i:", "dimension 2", "65536"}, [&] {
    Pair(idx_header({5, 65535, 65536}), good_labels()).open();
  });
  expect_error(ExitCode::data, {"/i:", "21474181125 bytes of pixels"}, [&] {
    Pair(gzipped(idx_header({5, 65535, 65535})), good_labels()).open();
  });
}

}  // namespace
}  // namespace convoy
